#!/usr/bin/env bash
# Runs the tests that `make test` has built; what failed is told once more at the end, where it is found.
#
#   scripts/test.sh [FILTER] SWIFT-TEST-OPTION…
#
# FILTER may be empty: then all of them run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

filter=$1
log=.build/tests.log
shift
: >"$log"

# The server's tests and the page's are about time limits and run in turn, by themselves: others would keep every thread
# busy.
in_turn='MienServerTests|PageTests'

run() {
  swift test "${options[@]}" "$@" 2>&1 | tee -a "$log"
}

told() {
  echo
  echo "make test: failed ($1). What failed:"
  grep -aE '^(✘|[^a-z]*Fatal error|error: )|recorded an issue|unexpected signal' "$log" | grep -av 'Test run with' |
    head -60 || true
  # Whoever crashed stands last.
  if grep -aq 'unexpected signal' "$log"; then tail -n 20 "$log"; fi
  exit 1
}

options=("$@" --skip-build --disable-xctest)
if [[ -n $filter ]]; then
  run --filter "$filter" || told "$filter"
  if grep -aq 'Test run with 0 tests' "$log"; then
    echo "make test: no test matches $filter"
    exit 1
  fi
else
  run --skip "$in_turn" || told 'all but the server and the page'
  run --no-parallel --filter "$in_turn" || told 'the server and the page'
fi
