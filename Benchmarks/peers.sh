#!/usr/bin/env bash
# Makes the Python environment that the benchmarks compare Mien with: PyTorch itself, with the CUDA libraries that it
# cannot be imported without, and NumPy. About 2.5 GB to download and 5 GB on disk; `make setup` does not do it.
# The environment is $MIEN_CACHE/peers (default ~/.cache/mien/peers). Does nothing where it is there already.
set -euo pipefail

cache="${MIEN_CACHE:-$HOME/.cache/mien}"
peers="$cache/peers"
packages=(torch===2.11.0 numpy===2.2.6)

if [[ -f $peers/.mien-stamp && $(<"$peers/.mien-stamp") == "${packages[*]}" ]]; then
  echo "peers: ready in $peers"
  exit 0
fi
echo "peers: installing ${packages[*]} into $peers"
rm -rf "$peers"
mkdir -p "$cache/wheels" "$peers/tmp"
python3 -m venv "$peers"
# The wheel that set-up has downloaded serves here too, where the Python versions agree.
TMPDIR="$peers/tmp" "$peers/bin/python3" -m pip install --disable-pip-version-check --progress-bar off --no-cache-dir \
  --no-compile --only-binary=:all: --find-links "$cache/wheels" "${packages[@]}"
rm -rf "$peers/tmp"
"$peers/bin/python3" -c 'import torch; print("peers: PyTorch", torch.__version__)'
echo "${packages[*]}" >"$peers/.mien-stamp"
