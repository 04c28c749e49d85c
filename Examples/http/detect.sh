#!/usr/bin/env bash
# Reads photos with curl: a JSON object for each, or CSV for all of them.
# Usage: detect.sh [--csv] PHOTO…   MIEN_URL is the server (http://127.0.0.1:8080), MIEN_TOKEN its token, if it asks for one.
set -euo pipefail
usage() {
  sed -n '3s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 64
}
# curl sends an empty body in place of a file that it cannot read.
readable() { [[ -r $1 && ! -d $1 ]] || { echo "$1: cannot be read" >&2; return 1; }; }
url=${MIEN_URL:-http://127.0.0.1:8080}
# The retries are for 429, busy: curl waits as long as the server says.
call=(curl --silent --show-error --fail-with-body --retry 5)
if [[ -n ${MIEN_TOKEN:-} ]]; then call+=(--header "Authorization: Bearer $MIEN_TOKEN"); fi

if [[ ${1:-} == --csv ]]; then
  shift
  (($#)) || usage
  # One request with all photos; one that cannot be read has its error in its row.
  form=()
  for photo; do
    readable "$photo"
    # Between quotation marks, curl takes a backslash before these two as an escape.
    photo=${photo//\\/\\\\}
    form+=(--form "pictures=@\"${photo//\"/\\\"}\"")
  done
  exec "${call[@]}" "${form[@]}" --header "Accept: text/csv" "$url/v1/detect"
fi
(($#)) || usage
status=0
for photo; do
  if readable "$photo"; then
    "${call[@]}" --data-binary "@$photo" --header "Content-Type: application/octet-stream" "$url/v1/detect" || status=1
    echo
  else
    status=1
  fi
done
exit $status
