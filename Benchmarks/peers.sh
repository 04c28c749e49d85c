#!/usr/bin/env bash
# Makes the Python environments that the benchmarks compare Mien with: PyTorch itself, with the CUDA libraries that it
# cannot be imported without, and NumPy; and Keras over TensorFlow. About 3 GB to download and 7 GB on disk; `make setup`
# does not do it. They are $MIEN_CACHE/peers and peers-keras (default ~/.cache/mien). Does nothing where they are there.
set -euo pipefail

cache="${MIEN_CACHE:-$HOME/.cache/mien}"
mkdir -p "$cache/wheels"

# NAME PACKAGE…
environment() {
  local folder="$cache/$1"
  shift
  if [[ -f $folder/.mien-stamp && $(<"$folder/.mien-stamp") == "$*" ]]; then
    echo "peers: ready in $folder"
    return
  fi
  echo "peers: installing $* into $folder"
  rm -rf "$folder"
  mkdir -p "$folder/tmp"
  python3 -m venv "$folder"
  # A wheel that set-up has downloaded serves here too, where the Python versions agree.
  TMPDIR="$folder/tmp" "$folder/bin/python3" -m pip install --disable-pip-version-check --progress-bar off \
    --no-cache-dir --no-compile --only-binary=:all: --find-links "$cache/wheels" "$@"
  rm -rf "$folder/tmp"
  echo "$*" >"$folder/.mien-stamp"
}

environment peers torch===2.11.0 numpy===2.2.6
environment peers-keras tensorflow-cpu===2.21.0 keras===3.15.1 scipy===1.17.1 pillow===13.0.0
