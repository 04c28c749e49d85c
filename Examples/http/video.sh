#!/usr/bin/env bash
# Sends a video with curl, waits until it is read, and writes one row per frame and face as CSV.
# Usage: video.sh VIDEO [EVERY]   EVERY: read one frame in so many (5). MIEN_URL and MIEN_TOKEN as in detect.sh.
set -euo pipefail
(($#)) || { sed -n '3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 64; }
# curl sends an empty body in place of a file that it cannot read.
[[ -r $1 && ! -d $1 ]] || { echo "$1: cannot be read" >&2; exit 1; }
url=${MIEN_URL:-http://127.0.0.1:8080}
call=(curl --silent --show-error --fail-with-body --retry 5)
if [[ -n ${MIEN_TOKEN:-} ]]; then call+=(--header "Authorization: Bearer $MIEN_TOKEN"); fi
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

id=$("${call[@]}" --data-binary "@$1" --header "Content-Type: video/mp4" "$url/v1/video?every=${2:-5}" | value id)
while job=$("${call[@]}" "$url/v1/video/$id"); do
  case $(value state <<<"$job") in
    done) break ;;
    failed)
      echo "$1: $(value error <<<"$job")" >&2
      exit 1
      ;;
  esac
  sleep 1
done
"${call[@]}" "$url/v1/video/$id/result?format=csv"
# What is not deleted is kept for an hour (--keep-results).
"${call[@]}" --request DELETE "$url/v1/video/$id"
