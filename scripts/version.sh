#!/usr/bin/env bash
# Prints the version of Mien as MienVersion.swift says it (semantic versioning): the one place where it stands.
#
#   scripts/version.sh             0.1.0
#   scripts/version.sh --commit    what git says: v0.1.0-12-gabc1234, or abc1234; "unreleased" without a repository
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in
  '')
    version="$(sed -n 's/.*static let number = "\(.*\)".*/\1/p' Sources/MienCore/MienVersion.swift 2>/dev/null || true)"
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
      { echo "version: expected number = \"MAJOR.MINOR.PATCH\" in Sources/MienCore/MienVersion.swift, found '$version'" >&2; exit 1; }
    echo "$version"
    ;;
  --commit) git describe --tags --always --dirty 2>/dev/null || echo unreleased ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64 ;;
esac
