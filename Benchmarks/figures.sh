#!/usr/bin/env bash
# The figures of a model that stand in README, models/README.md and docs, each under the page that has it.
#
#   Benchmarks/figures.sh FER2013.safetensors CK+48-FOLDER [MODEL] [OUTPUT-FOLDER]
#
# FER2013 with FER+ votes as `mien dataset import fer2013` makes it. MODEL is a file or a name, mien-s unless told. Takes about
# half an hour on two cores; `make build` first. docs/adaptation.md has a script of its own, Benchmarks/adaptation.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:?FER2013 with votes, as mien dataset import fer2013 makes it}
ck48=${2:?the folder CK+48}
model=${3:-mien-s}
output=${4:-$(mktemp -d)}
mkdir -p "$output"
mien=${MIEN:-.build/release/mien}
bench=${MIEN_BENCH:-.build/release/mien-bench}
if [[ -z ${MIEN_BENCH:-} ]]; then
  PKG_CONFIG_PATH="$PWD/.native/pkgconfig" swift build -c release --product mien-bench >/dev/null
fi

measured() { "$mien" evaluate --model "$model" --data "$data" --split validation "$@"; }

echo "== README.md, models/README.md, docs/faq.md"
for labels in ferplus fer2013; do
  echo "-- $labels"
  measured --labels $labels --report "$output/$labels.html" --predictions "$output/$labels.csv"
  echo "-- $labels, with the mirror image"
  measured --labels $labels --tta flip --predictions "$output/$labels-flip.csv" | grep accuracy
  echo "-- $labels, without faces of the training part"
  measured --labels $labels --unseen | grep accuracy
done
echo "== docs/reports.md, mien compare"
"$mien" compare "$model" "$output/ferplus-flip.csv" --data "$data" --split validation
echo "== docs/detect.md, priors"
for strength in 0 0.25 0.5 1; do
  echo "-- strength $strength"
  measured --prior uniform --prior-strength $strength | grep -E "^(accuracy|balanced|calibration)"
done
echo "== docs/detection.md, limits of small and dark"
"$bench" limits --model "$model" --data "$data"
echo "== docs/detection.md, limit of turned"
"$bench" pose --model "$model" --data "$data"
echo "== docs/preprocessing.md, framing"
for options in "--anchor box --turned" "--anchor box" "--anchor points --turned"; do
  echo "-- $options"
  # shellcheck disable=SC2086 # several options
  "$bench" framing --model "$model" --data "$data" $options --scales 1 --scales 1.1 --scales 1.2 --scales 1.3 \
    --shifts=-0.05 --shifts=0 --shifts=0.05
done
echo "== docs/explain.md, regions"
"$mien" explain "$data" --model "$model" --split validation --limit 500
echo "== docs/faq.md and docs/limits.md, CK+48"
"$mien" dataset import ckplus48 "$ck48" -o "$output/ck48.safetensors" >/dev/null
"$mien" evaluate --model "$model" --data "$output/ck48.safetensors" --split all
echo "== docs/reports.md, robustness"
measured --corruptions
