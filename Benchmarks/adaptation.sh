#!/usr/bin/env bash
# What corrections of some people's faces do for the reading of others: the figures of docs/adaptation.md.
#
#   Benchmarks/adaptation.sh CK+48-FOLDER FER2013.safetensors [CHART.svg]
#
# CK+48 is the new setting, FER2013 with FER+ votes the one that the model comes from. The budget is chosen on a third of
# CK+48's people and on FER2013's training faces; what is reported is measured on the others and on PublicTest.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:?the folder CK+48}
keep=${2:?FER2013 with votes, as mien dataset import fer2013 makes it}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mien=.build/release/mien
bench=.build/release/mien-bench

PKG_CONFIG_PATH="$PWD/.native/pkgconfig" swift build -c release --product mien-bench >/dev/null

$mien dataset import ckplus48 "$folder" -o "$work/ck48.safetensors"
echo "== choosing the budget"
$bench adaptation --data "$work/ck48.safetensors" --keep "$keep" --people tuning --keep-split train \
  --keep-limit 5000 --budgets 0.003 0.006 0.012
for drawn in any mistakes; do
  echo "== reported: $drawn faces corrected"
  chart=()
  [[ -z ${3:-} || $drawn != any ]] || chart=(--svg "$3")
  $bench adaptation --data "$work/ck48.safetensors" --keep "$keep" --drawn "$drawn" "${chart[@]}"
done
