#!/usr/bin/env bash
# Packs what scripts/install.sh installs into .build/dist/mien-VERSION-linux-x86_64.tar.xz, unpacks that in a root that has
# neither Swift nor the sources, and reads a photo and a video there (scripts/test-dist.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version="$(git describe --tags --always 2>/dev/null || echo unreleased)"
name="mien-$version-linux-$(uname -m)"
rm -rf .build/dist
mkdir -p ".build/dist/$name"
scripts/install.sh "$PWD/.build/dist/$name"
ln -s share/doc/mien/README ".build/dist/$name/README"
tar -C .build/dist --owner=0 --group=0 --sort=name -cf - "$name" | xz -T0 -3 >".build/dist/$name.tar.xz"
rm -rf ".build/dist/$name"
scripts/test-dist.sh ".build/dist/$name.tar.xz"
echo "packed: $PWD/.build/dist/$name.tar.xz ($(du -m ".build/dist/$name.tar.xz" | cut -f 1) MB)"
