#!/usr/bin/env bash
# `mien video` on a clip: with rows only, and with an annotated copy; then the Python package `fer` with its Haar cascade on
# the same clip; then peak memory of 5 and of 60 minutes of it, repeated at half its width and 10 frames a second.
# Usage: Benchmarks/video.sh [speed|peer|memory]… [CLIP]; all three where none is named. Needs `make build`, ffmpeg and GNU
# time. The peer needs a Python environment with `fer` in $MIEN_CACHE/peers-fer: `pip install --no-deps fer ffmpeg-python`, then
# `pip install tensorflow-cpu 'opencv-python-headless<5' pandas requests tqdm pillow 'moviepy<2' 'setuptools<80'`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mien=$PWD/.build/release/mien
clip=${MIEN_SHARED:-../shared}/media/hamilton.mp4
parts=()
for argument; do
  case "$argument" in speed | peer | memory) parts+=("$argument") ;; *) clip=$argument ;; esac
done
((${#parts[@]})) || parts=(speed peer memory)
[[ -f $clip ]] || { echo "no clip: name one" >&2; exit 1; }
command -v ffmpeg >/dev/null || { echo "repeating the clip needs ffmpeg: apt-get install ffmpeg" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

speed() {
  "$mien" video "$clip" --json "$folder/warm.jsonl" >/dev/null
  local run
  for run in 1 2 3; do
    echo "rows only, run $run"
    "$mien" video "$clip" --json "$folder/rows.jsonl" --timings 2>&1 >/dev/null | sed 's/^/  /'
  done
  for run in 1 2 3; do
    echo "rows, page and annotated copy, run $run"
    "$mien" video "$clip" --json "$folder/rows.jsonl" --annotate "$folder/copy.mp4" --timeline "$folder/page.html" \
      --timings 2>&1 >/dev/null | sed 's/^/  /'
  done
}

peer() {
  local python=${MIEN_CACHE:-$HOME/.cache/mien}/peers-fer/bin/python3
  if ! "$python" -c 'import fer' 2>/dev/null; then
    echo "fer is not in $python: left out"
    return
  fi
  "$python" - "$clip" <<'PY'
import sys, time, cv2
try:
    from fer import FER
except ImportError:
    from fer.fer import FER
detector = FER(mtcnn=False)
frames, capture = [], cv2.VideoCapture(sys.argv[1])
while True:
    ok, frame = capture.read()
    if not ok:
        break
    frames.append(frame)
detector.detect_emotions(frames[0])
start, faces = time.time(), 0
for frame in frames:
    faces += len(detector.detect_emotions(frame))
seconds = time.time() - start
print(f"fer, Haar: {len(frames)} frames in {seconds:.2f} s: {len(frames) / seconds:.1f} a second, {faces} faces, decoding left out")
PY
}

memory() {
  local minutes
  for minutes in 5 60; do
    ffmpeg -v error -y -stream_loop -1 -i "$clip" -t $((minutes * 60)) -vf scale=320:-2,fps=10 -an -c:v libx264 \
      -preset ultrafast "$folder/long.mp4"
    /usr/bin/time -f '%M' -o "$folder/peak" "$mien" video "$folder/long.mp4" --json "$folder/long.jsonl" \
      --timeline "$folder/long.html" >/dev/null
    awk -v minutes="$minutes" '{ printf "%d minutes of video: peak %.0f MB\n", minutes, $1 / 1024 }' "$folder/peak"
  done
}

for part in "${parts[@]}"; do "$part"; done
