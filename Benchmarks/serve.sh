#!/usr/bin/env bash
# `mien serve` under load: requests a second and latency with one 640x480 face picture a request, at 1, 8 and 64
# connections; then memory over many requests, each a face of 48x48 pixels, which takes no search and so many more fit into
# an hour.
# Usage: Benchmarks/serve.sh [PHOTO] [SECONDS] [REQUESTS]. Needs `make build`, wrk and ffmpeg; without PHOTO, obama.jpg
# of ../shared or the sample photo is used. SECONDS is the length of each step (20), REQUESTS the number for the memory
# (0 leaves that out).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
server=$PWD/.build/release/mien-server
shared=${MIEN_SHARED:-../shared}
photo=${1:-}
seconds=${2:-20}
requests=${3:-0}
for candidate in "$shared/media/obama.jpg" .native/samples/astronaut.png; do
  [[ -z $photo && -f $candidate ]] && photo=$candidate
done
[[ -f $photo ]] || { echo "no photo: name one" >&2; exit 1; }
for tool in wrk ffmpeg curl; do
  command -v "$tool" >/dev/null || { echo "this needs $tool: apt-get install $tool" >&2; exit 1; }
done

folder=$(mktemp -d)
pid=
trap '[[ -n $pid ]] && kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
ffmpeg -loglevel error -i "$photo" -frames:v 1 -q:v 3 \
  -vf 'scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:(ow-iw)/2:(oh-ih)/2' "$folder/photo.jpg"

"$server" serve --port 0 --state-dir "$folder/state" 2>"$folder/log" &
pid=$!
until url=$(grep -o '"url":"[^"]*"' "$folder/log" | cut -d'"' -f4) && [[ -n $url ]]; do
  kill -0 "$pid" || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done

# Counts answers by status; wrk's own latencies would mix pictures that were read with requests that were refused.
cat >"$folder/post.lua" <<'LUA'
local file = io.open(os.getenv("PICTURE"), "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "image/jpeg"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() read, refused, failed = 0, 0, 0 end
function response(status)
  if status == 200 then read = read + 1
  elseif status == 429 then refused = refused + 1
  else failed = failed + 1 end
end
function done(summary, latency)
  local sums = { read = 0, refused = 0, failed = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local e = summary.errors
  io.write(string.format("%8.1f read/s  %6.1f refused/s (429)  %d other  %d broken   p50 %.0f  p95 %.0f  p99 %.0f ms\n",
    sums.read * 1e6 / summary.duration, sums.refused * 1e6 / summary.duration, sums.failed,
    e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
LUA
load() { # CONNECTIONS SECONDS [PICTURE QUERY]
  PICTURE=${3:-$folder/photo.jpg} wrk -t 1 -c "$1" -d "${2}s" --timeout 20s -s "$folder/post.lua" \
    "$url/v1/detect${4:-}" | tail -n 1
}
resident() { awk '/VmRSS/ { printf "%.0f MB", $2 / 1024 }' "/proc/$pid/status"; }

load 8 3 >/dev/null
echo "picture $(stat -c %s "$folder/photo.jpg") bytes, $(nproc) cores shared with wrk; after warming up: $(resident)"
for connections in 1 8 64; do
  printf '%3d connections  %s  (%s)\n' "$connections" "$(load "$connections" "$seconds")" "$(resident)"
done
if ((requests > 0)); then
  count() { curl -s "$url/metrics" | awk '/^mien_pictures_total/ { printf "%d", $2 }'; }
  ffmpeg -loglevel error -i "$folder/photo.jpg" -frames:v 1 -q:v 3 -vf 'crop=ih/2:ih/2,scale=48:48' "$folder/face.jpg"
  until (($(count) >= requests)); do
    load 8 30 "$folder/face.jpg" '?detector=none' >/dev/null
    echo "$(count) pictures: $(resident)"
  done
fi
kill -TERM "$pid"
wait "$pid"
pid=
