#!/usr/bin/env bash
# Tries Mien with the programs that operators run it with: Slurm, nginx, Kubernetes' schemas, DuckDB, Prometheus' parser, and
# the steps of the Containerfile. Each part runs where its programs are installed and is skipped with its reason elsewhere.
#
#   scripts/test-operations.sh [PART…]    all parts unless some are named: kubernetes, shards, slurm, serve, nginx, image
#
# PROGRAMS (.build/release) is the folder of mien and mien-server. The Python packages (scripts/requirements-operations.txt)
# go into a virtual environment under MIEN_CACHE (~/.cache/mien).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
programs="$(readlink -m "${PROGRAMS:-.build/release}")"
for program in mien mien-server; do
  [[ -x $programs/$program ]] || { echo "test-operations: $programs/$program is missing; run: make build" >&2; exit 1; }
done

# Makes the virtual environment; without a network, or with another Python, those parts that need it are skipped.
python="${MIEN_CACHE:-$HOME/.cache/mien}/python-operations"
stamp="$(sha256sum scripts/requirements-operations.txt)"
if [[ ! -f $python/.mien-stamp || $(<"$python/.mien-stamp") != "$stamp" ]]; then
  rm -rf "$python"
  if python3 -m venv "$python" &&
    "$python/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --require-hashes \
      --only-binary=:all: --requirement scripts/requirements-operations.txt; then
    printf '%s\n' "$stamp" >"$python/.mien-stamp"
  else
    echo "test-operations: the Python packages could not be installed; parts that need them are skipped" >&2
  fi
fi
[[ -x $python/bin/python3 ]] && export MIEN_OPERATIONS_PYTHON="$python/bin/python3"

(($# > 0)) || set -- kubernetes shards slurm serve nginx image
failed=()
for part in "$@"; do
  script="$(compgen -G "Tests/Operations/$part.*" | head -n 1 || true)"
  [[ -n $script ]] || { echo "test-operations: no part is called $part" >&2; exit 64; }
  echo "== $part"
  status=0
  case "$script" in
    *.py) "${MIEN_OPERATIONS_PYTHON:-python3}" "$script" "$programs" || status=$? ;;
    *) bash "$script" "$programs" || status=$? ;;
  esac
  # 77: skipped, with the reason said.
  ((status == 0 || status == 77)) || failed+=("$part")
done
if ((${#failed[@]} > 0)); then
  echo "test-operations: failed: ${failed[*]}" >&2
  exit 1
fi
echo "test-operations: all parts passed or were skipped with their reason"
