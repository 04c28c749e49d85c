#!/usr/bin/env bash
# Every benchmark, one after another, but adaptation.sh and page.py, which take data as arguments. Leave the machine
# idle meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
make --no-print-directory build
Benchmarks/peers.sh
Benchmarks/detect.sh
Benchmarks/serve.sh
Benchmarks/video.sh
Benchmarks/train-step.sh
