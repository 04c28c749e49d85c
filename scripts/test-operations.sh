#!/usr/bin/env bash
# Tries Mien with the programs that operators run it with. Each part runs where its programs are installed and is skipped
# with its reason elsewhere.
#
#   scripts/test-operations.sh [PART…]    all parts unless some are named: nginx
#
# PROGRAMS (.build/release) is the folder of mien and mien-server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
programs="$(readlink -m "${PROGRAMS:-.build/release}")"
for program in mien mien-server; do
  [[ -x $programs/$program ]] || { echo "test-operations: $programs/$program is missing; run: make build" >&2; exit 1; }
done

(($# > 0)) || set -- nginx
failed=()
for part in "$@"; do
  script="$(compgen -G "Tests/Operations/$part.*" | head -n 1 || true)"
  [[ -n $script ]] || { echo "test-operations: no part is called $part" >&2; exit 64; }
  echo "== $part"
  status=0
  case "$script" in
    *.py) python3 "$script" "$programs" || status=$? ;;
    *) bash "$script" "$programs" || status=$? ;;
  esac
  # 77: skipped, with the reason said.
  ((status == 0 || status == 77)) || failed+=("$part")
done
if ((${#failed[@]} > 0)); then
  echo "test-operations: failed: ${failed[*]}" >&2
  exit 1
fi
echo "test-operations: all parts passed or were skipped with their reason"
