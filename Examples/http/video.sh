#!/usr/bin/env bash
# Sends a video with curl, waits until it is read, and writes one row per frame and face as CSV.
# Usage: video.sh VIDEO [EVERY]   EVERY: read only every Nth frame (5). MIEN_URL and MIEN_TOKEN as in detect.sh.
set -euo pipefail
(($#)) || { sed -n '3s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 64; }
# curl sends an empty body in place of a file that it cannot read.
[[ -r $1 && ! -d $1 ]] || { echo "$1: cannot be read" >&2; exit 1; }
url=${MIEN_URL:-http://127.0.0.1:8080}
call=(curl --silent --show-error --fail-with-body --retry 5)
if [[ -n ${MIEN_TOKEN:-} ]]; then call+=(--header "Authorization: Bearer $MIEN_TOKEN"); fi
# The answer; if it is an error, on standard error, as standard output has rows alone.
ask() {
  local answer status=0
  answer=$("${call[@]}" "$@") || status=$?
  if [[ $status == 0 ]]; then echo "$answer"; elif [[ -n $answer ]]; then echo "$answer" >&2; fi
  return $status
}
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

id=$(ask --data-binary "@$1" --header "Content-Type: video/mp4" "$url/v1/video?every=${2:-5}" | value id)
while true; do
  job=$(ask "$url/v1/video/$id")
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
