#!/usr/bin/env bash
# Holds the running server against its OpenAPI document with schemathesis: thousands of right and wrong requests, and
# whether each answer is one that the document promises. Then generates a client from the document and uses it.
# Usage: scripts/check-api.sh [EXAMPLES]: how many requests per route and phase, 50 unless told. Needs `make build`, or
# another mien-server that MIEN_SERVER names, curl and Python 3.11 to 3.13; schemathesis and the client's generator go into a
# virtual environment under MIEN_CACHE (~/.cache/mien).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
examples=${1:-50}
server=${MIEN_SERVER:-$PWD/.build/release/mien-server}
cache=${MIEN_CACHE:-$HOME/.cache/mien}
python=$cache/python-api
stamp=$(sha256sum scripts/requirements-api.txt)
if [[ ! -f $python/.mien-stamp || $(<"$python/.mien-stamp") != "$stamp" ]]; then
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: --requirement scripts/requirements-api.txt
  printf '%s\n' "$stamp" >"$python/.mien-stamp"
fi

folder=$(mktemp -d)
pid=
trap '[[ -n $pid ]] && kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
token=$(head -c 32 /dev/urandom | sha256sum | cut -d' ' -f1)
echo "$token" >"$folder/token"
"$server" serve --port 0 --token-file "$folder/token" --state-dir "$folder/state" \
  --corrections "$folder/corrections.sqlite" --max-videos 1000 \
  --max-sessions 100000 2>"$folder/log" &
pid=$!
until url=$(grep -o '"url":"[^"]*"' "$folder/log" | cut -d'"' -f4) && [[ -n $url ]]; do
  kill -0 "$pid" || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
# A body of bytes that the document allows need not be a picture: 415 and 422 are right answers to it.
(cd "$folder" && "$python/bin/schemathesis" run "$url/openapi.json" --header "Authorization: Bearer $token" \
  --checks all --exclude-checks positive_data_acceptance --max-examples "$examples" --seed 1 --workers 1 \
  --request-timeout 30 --suppress-health-check all)
kill -0 "$pid" || { echo "the server has ended" >&2; exit 1; }
photo=$cache/samples/astronaut.png
if [[ -f $photo ]]; then
  "$python/bin/python3" scripts/check-client.py "$url" "$photo" "$token"
else
  echo "$photo is not there (make setup): no client is tried"
fi
if grep '"level":"error"' "$folder/log"; then
  echo "the server logged failures" >&2
  exit 1
fi
kill -TERM "$pid"
wait "$pid"
pid=
