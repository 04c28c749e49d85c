#!/usr/bin/env bash
# The training step of mien-s against PyTorch eager: same network, batch and threads, in turn, medians.
# Usage: Benchmarks/train-step.sh [TURNS]. Needs `make build` and Benchmarks/peers.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
turns=${1:-3}
threads=$(nproc)
python="${MIEN_CACHE:-$HOME/.cache/mien}/peers/bin/python3"
[[ -x $python ]] || { echo "no PyTorch to compare with: run Benchmarks/peers.sh first" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for ((turn = 1; turn <= turns; turn++)); do
  .build/release/mien-train benchmark recipes/mien-s.yaml --threads "$threads" >>"$folder/Mien"
  "$python" Benchmarks/train_step.py --threads "$threads" >>"$folder/PyTorch"
  "$python" Benchmarks/train_step.py --threads "$threads" --channels-last >>"$folder/PyTorch channels-last"
done
printf '%-24s %12s\n' 'training step, batch 64' 'images/s'
for name in 'Mien' 'PyTorch' 'PyTorch channels-last'; do
  printf '%-24s %12s\n' "$name" "$(sort -n "$folder/$name" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
done
