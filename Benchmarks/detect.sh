#!/usr/bin/env bash
# `mien detect` on one 1080p photo (new process each time, warm page cache), then on 100 photos.
# Usage: Benchmarks/detect.sh [PHOTO]. Needs `make build`, GNU time, and python3 with the set-up's packages for nothing
# but scaling the photo; without PHOTO, ../shared/media/obama.jpg or the sample photo is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mien=$PWD/.build/release/mien
shared=${MIEN_SHARED:-../shared}
photo=${1:-}
for candidate in "$shared/media/obama.jpg" .native/samples/astronaut.png; do
  [[ -z $photo && -f $candidate ]] && photo=$candidate
done
[[ -f $photo ]] || { echo "no photo: name one" >&2; exit 1; }
command -v ffmpeg >/dev/null || { echo "scaling the photo needs ffmpeg: apt-get install ffmpeg" >&2; exit 1; }
[[ -x /usr/bin/time ]] || { echo "peak memory needs GNU time: apt-get install time" >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Scaled to fill 1920x1080 and cropped, as a camera's frame would be.
ffmpeg -loglevel error -i "$photo" -frames:v 1 -q:v 3 \
  -vf 'scale=1920:1080:force_original_aspect_ratio=increase,crop=1920:1080' "$folder/photo.jpg"
"$mien" detect --json "$folder/warm.json" "$folder/photo.jpg"

for _ in $(seq 10); do
  /usr/bin/time -f '%e %M' -o "$folder/time" "$mien" detect --json "$folder/out.json" "$folder/photo.jpg" >/dev/null
  cat "$folder/time" >>"$folder/times"
done
sort -n "$folder/times" | awk '{ t[NR] = $1; if ($2 > m) m = $2 }
  END { printf "one 1080p photo   median %.2f s of 10 (%.2f to %.2f), peak %.0f MB\n",
        (t[5] + t[6]) / 2, t[1], t[10], m / 1024 }'

mkdir "$folder/photos"
for number in $(seq 100); do cp "$folder/photo.jpg" "$folder/photos/$number.jpg"; done
"$mien" benchmark "$folder/photos"
