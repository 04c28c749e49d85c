#!/usr/bin/env bash
# Packs what scripts/install.sh installs into .build/dist, each file with its checksum in SHA256SUMS:
#
#   mien-VERSION-linux-x86_64.tar.xz             mien and mien-server, wherever it is unpacked
#   mien-training-VERSION-linux-x86_64.tar.xz    mien-train and libtorch, to be unpacked over the same folder
#   mien_VERSION_amd64.deb                       mien and mien-server with this system's OpenCV and FFmpeg
#   *.cdx.json                                   what is inside, as CycloneDX
#
# The tarball and the package are tried in roots that have neither Swift nor the sources (scripts/test-dist.sh).
# BUILT, a folder of programs, is packed instead of what is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version="$(scripts/version.sh)"
system="linux-$(uname -m)"
dist="$PWD/.build/dist"
rm -rf "$dist"
mkdir -p "$dist"
pack() { # NAME PART…
  local name="$1-$version-$system" folder="$dist/mien-$version"
  shift
  rm -rf "$folder"
  scripts/install.sh "$folder" "$@"
  scripts/sbom.py "$folder" >"$dist/$name.cdx.json"
  if [[ $* == *serving* ]]; then scripts/deb.sh "$folder" "$dist"; fi
  # So that both tarballs unpack into one folder.
  if [[ $* == *training* ]]; then mv "$folder/share/doc/mien/README" "$folder/share/doc/mien/README.training"; fi
  if [[ $* == *training* ]]; then mv "$folder/share/doc/mien/packages" "$folder/share/doc/mien/packages.training"; fi
  [[ ! -f $folder/share/doc/mien/README ]] || ln -s share/doc/mien/README "$folder/README"
  tar -C "$dist" --owner=0 --group=0 --numeric-owner --sort=name --mtime="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" \
    -cf - "mien-$version" | xz -T0 -3 >"$dist/$name.tar.xz"
  rm -rf "$folder"
  echo "packed: $dist/$name.tar.xz ($(du -m "$dist/$name.tar.xz" | cut -f 1) MB)"
}
pack mien recognition serving
pack mien-training training
(cd "$dist" && sha256sum -- *.tar.xz *.deb *.cdx.json >SHA256SUMS)
scripts/test-dist.sh "$dist"
