#!/usr/bin/env bash
# Unpacks a tarball of scripts/dist.sh in a root of its own, which has the system's /usr and /etc and nothing else: no Swift,
# no sources, no home. There it reads the sample photo, and a clip made of it where ffmpeg is installed.
#
#   scripts/test-dist.sh TARBALL    needs root, or user namespaces
set -euo pipefail
(($# == 1)) || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tarball="$(readlink -f "$1")"
photo="$here/.native/samples/astronaut.png"
namespaces=(--mount)
((EUID == 0)) || namespaces+=(--user --map-root-user)

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{usr,etc,proc,dev,tmp,opt,pictures}
for link in bin lib lib64; do [[ -L /$link ]] && cp -P "/$link" "$root/$link"; done
tar -C "$root/opt" -xf "$tarball"
mv "$root"/opt/mien-* "$root/opt/mien"
cp "$photo" "$root/pictures/photo.png"
if command -v ffmpeg >/dev/null; then
  ffmpeg -v error -loop 1 -framerate 10 -t 1 -i "$photo" -pix_fmt yuv420p -c:v libx264 "$root/pictures/clip.mp4"
fi

# shellcheck disable=SC2016 # expanded inside
unshare "${namespaces[@]}" /bin/bash -c '
  set -euo pipefail
  root=$1
  mount --rbind /usr "$root/usr"
  mount --rbind /etc "$root/etc"
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  export PATH="$PATH:/usr/sbin:/sbin"
  run() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/pictures "$@"; }
  if run /bin/sh -c "command -v swift" >/dev/null; then echo "test-dist: there is a Swift in this root" >&2; exit 1; fi
  run /opt/mien/bin/mien detect /pictures/photo.png --json /pictures/photo.json
  grep -q "\"emotion\":\"happiness\"" "$root/pictures/photo.json"
  if [[ -f $root/pictures/clip.mp4 ]]; then
    run /opt/mien/bin/mien video /pictures/clip.mp4 --json /pictures/clip.jsonl --annotate /pictures/marked.mp4 --timeline /pictures/clip.html
    [[ $(grep -c "\"emotion\":\"happiness\"" "$root/pictures/clip.jsonl") == 10 ]]
    [[ -s $root/pictures/marked.mp4 && -s $root/pictures/clip.html ]]
  fi
' bash "$root"
echo "test-dist: the tarball reads a photo and a video without Swift"
