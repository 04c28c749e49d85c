#!/usr/bin/env bash
# The training step of several recipes against PyTorch eager and Keras: same network, batch and threads, in turn, medians.
# Then chen's augmentation alone and whole epochs of chen with it, against Keras's ImageDataGenerator.
# Usage: Benchmarks/train-step.sh [TURNS]. Needs `make build` and Benchmarks/peers.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
turns=${1:-3}
threads=$(nproc)
peers="${MIEN_CACHE:-$HOME/.cache/mien}/peers"
for python in "$peers" "$peers-keras"; do
  [[ -x $python/bin/python3 ]] || { echo "no peers to compare with: run Benchmarks/peers.sh first" >&2; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

measure() {  # RECIPE BATCH STEPS
  local recipe=$1 arguments=(--batch "$2" --steps "$3" --threads "$threads") name
  rm -f "$folder"/*
  for ((turn = 1; turn <= turns; turn++)); do
    .build/release/mien-train benchmark "recipes/$recipe.yaml" --set "batchSize=$2" --steps "$3" --threads "$threads" \
      >>"$folder/Mien"
    "$peers/bin/python3" Benchmarks/train_step.py "$recipe" "${arguments[@]}" >>"$folder/PyTorch"
    "$peers/bin/python3" Benchmarks/train_step.py "$recipe" "${arguments[@]}" --channels-last \
      >>"$folder/PyTorch channels-last"
    if [[ $recipe != mien-s ]]; then
      "$peers-keras/bin/python3" Benchmarks/train_step_keras.py "$recipe" "${arguments[@]}" >>"$folder/Keras"
    fi
  done
  show "$recipe, batch $2"
}

measure_part() {  # PART
  rm -f "$folder"/*
  for ((turn = 1; turn <= turns; turn++)); do
    .build/release/mien-train benchmark recipes/chen.yaml --part "$1" --threads "$threads" >>"$folder/Mien"
    "$peers-keras/bin/python3" Benchmarks/train_step_keras.py chen --what "$1" --batch 8 --threads "$threads" \
      >>"$folder/Keras"
  done
  show "chen, $1"
}

show() {  # TITLE
  local name
  printf '%-24s %12s\n' "$1" 'images/s'
  for name in 'Mien' 'PyTorch' 'PyTorch channels-last' 'Keras'; do
    [[ -f $folder/$name ]] || continue
    printf '%-24s %12s\n' "$name" "$(sort -n "$folder/$name" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
  done
}

measure mien-s 64 10
measure chen 8 100
measure chen 64 30
measure le-deep 64 3
# 290.4 million multiplications and as many additions a face forward, and twice that backward.
sort -n "$folder/Mien" | awk '{ v[NR] = $1 } END { printf "%-24s %9.0f GFLOP/s\n", "Mien", v[int((NR + 1) / 2)] * 290.4e6 * 6 / 1e9 }'
measure_part augmentation
measure_part epoch
