#!/usr/bin/env bash
# Builds and runs Tests/Client, a package of its own that depends on Mien by version, as a program of someone else does:
# from a repository with a tag, with OpenVINO and the face networks in a prefix (`scripts/setup.sh runtime --prefix DIR`).
# It fails if the client has to fetch a web server or a database.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"
work="$root/.build/client"

scripts/setup.sh training
scripts/setup.sh runtime --prefix "$work/prefix"

# A repository of the files as they are here, committed or not. The commit is a function of the files, so that a second run
# with the same files builds nothing.
repository="$work/mien"
rm -rf "$repository" && mkdir -p "$repository"
git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read --files-from=- 2>/dev/null |
  tar -x -C "$repository"
git -C "$repository" init --quiet
git -C "$repository" add --all
GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
  git -C "$repository" -c user.name=client -c user.email=client@localhost commit --quiet --message 'As a version'
git -C "$repository" tag 0.1.0

# The package in a folder of its own: nothing of Mien's checkout is beside it.
package="$work/package"
mkdir -p "$package"
rm -rf "$package/Sources" "$package/Package.resolved"
cp -R Tests/Client/Sources Tests/Client/Package.swift "$package/"
export MIEN_CLIENT_REPOSITORY="$repository" MIEN_CLIENT_LIBRARIES="$work/prefix/lib/mien:$root/.native"
export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig:$root/.native/pkgconfig"
cd "$package"
# Another run's tag 0.1.0 may have been of other files.
flags=(--resolver-fingerprint-checking warn --jobs "${JOBS:-2}" --disable-index-store)
swift package "${flags[@]:0:2}" resolve
if grep -iqE '"identity" : "(hummingbird|grdb.swift|swift-nio)"' Package.resolved; then
  echo 'client: reading photos and training must not fetch a web server or a database; Package.resolved holds:' >&2
  grep '"identity"' Package.resolved >&2
  exit 1
fi
swift build "${flags[@]}" --product Client
rm -rf "$work/output"
.build/debug/Client "$root/.native/samples/astronaut.png" --output "$work/output"
