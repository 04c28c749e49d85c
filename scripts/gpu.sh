#!/usr/bin/env bash
# Takes training runs to a machine with an NVIDIA GPU that has neither Swift nor a network, and brings them back.
#
#   scripts/gpu.sh pack FACES.safetensors|--later [--plan FILE] [--run RUN]... [-o FOLDER]
#       Packs mien-train, the faces, the recipes and a plan of runs into FOLDER (default: .gpu). RUN is the folder of an
#       earlier run, as a teacher of the plan or to go on with. The GPU host needs Python 3 with NumPy and torch 2.11.
#       With --later the bundle is for a host that has unpacked another one already: it leaves out the program and the faces.
#   bash FOLDER/run.sh check|train [--minutes N]     on the GPU host, see scripts/gpu/host.py
#   scripts/gpu.sh collect FOLDER RUNS
#       Unpacks the runs.tar parts in FOLDER, which the GPU host wrote, into run folders in RUNS; mien export reads these.
#   scripts/gpu.sh try FACES.safetensors
#       Packs a small plan with some hundred of the faces, and runs it on the CPU in a folder and an environment that hold
#       nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What a GPU host of this project takes in one transfer, in MiB.
limit=64
python=.native/python/bin/python3
[[ -x $python ]] || python=python3

fail() { echo "gpu: $*" >&2; exit 1; }
usage() { sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }

# mien-train with Swift's libraries inside, as small as it gets.
program() { # TARGET, gets .xz added
  export PKG_CONFIG_PATH="$PWD/.native/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
  local flags=(-c release --jobs "${JOBS:-2}" --scratch-path .build-static --static-swift-stdlib) built
  swift build "${flags[@]}" --product mien-train
  built="$(swift build "${flags[@]}" --show-bin-path)/mien-train"
  strip --strip-all -o "$1" "$built"
  "$python" scripts/gpu/trim_locales.py "$built" "$1"
  xz --x86 --lzma2=preset=9e "$1"
}

pack() {
  local faces='' later='' plan=scripts/gpu/plan.json output=.gpu runs=() run
  while (($#)); do
    case "$1" in
      --plan | --run | -o) (($# > 1)) || usage ;;&
      --plan) plan="$2"; shift 2 ;;
      --run) runs+=("$2"); shift 2 ;;
      -o) output="$2"; shift 2 ;;
      --later) later=yes; shift ;;
      -*) usage ;;
      *) [[ -z $faces ]] || usage; faces="$1"; shift ;;
    esac
  done
  [[ -n $faces || -n $later ]] || usage
  [[ -z $faces || -f $faces ]] || fail "$faces: no such FaceSet; make it with mien dataset import"
  [[ -f $plan ]] || fail "$plan: no such plan"
  "$python" -c 'import numpy' 2>/dev/null || fail "$python has no NumPy; run scripts/setup.sh test"

  rm -rf "$output"
  mkdir -p "$output/recipes" "$output/runs"
  if [[ -z $later ]]; then
    program "$output/mien-train"
    "$python" scripts/gpu/faceset_codec.py pack "$faces" "$output/faces.packed"
  fi
  cp scripts/gpu/host.py scripts/gpu/faceset_codec.py "$output/"
  cp "$plan" "$output/plan.json"
  cp recipes/*.yaml "$output/recipes/"
  for run in "${runs[@]}"; do "$python" scripts/gpu/results.py shrink "$run" "$output/runs/$(basename "$run")"; done
  cat >"$output/run.sh" <<'RUN'
#!/usr/bin/env bash
exec env PYTHONUNBUFFERED=1 python3 "$(dirname "${BASH_SOURCE[0]}")/host.py" "$@"
RUN
  # A transfer carries the checkout's own files too.
  local own=0 packed
  if git rev-parse --git-dir >/dev/null 2>&1; then
    own="$(git ls-files -z --cached --others --exclude-standard | xargs -0r stat --format=%s | awk '{ s += $1 } END { print s + 0 }')"
  fi
  packed="$(find "$output" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')"
  find "$output" -type f -size +99k -printf '%s %P\n' | sort -rn
  awk -v p="$packed" -v o="$own" -v l="$limit" 'BEGIN {
    m = 1048576; printf "%s: %.1f MiB, with the checkout %.1f of %d MiB\n", "packed", p / m, (p + o) / m, l
    exit (p + o > l * m) }' || fail "this is too large for one transfer: leave out runs (--run)"
}

collect() {
  (($# == 2)) || usage
  "$python" scripts/gpu/results.py collect "$1" "$2"
}

try() {
  (($# == 1)) || usage
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  "$python" scripts/gpu/results.py few "$1" "$work/few.safetensors" 192 96
  pack "$work/few.safetensors" --plan scripts/gpu/plan-try.json -o "$work/bundle"
  # A torch package as a host has it: the unpacked wheel, without this checkout and without Swift on the path.
  local torch numpy
  torch="$(readlink -f .native/torch)"
  numpy="$("$python" -c 'import numpy, os; print(os.path.dirname(os.path.dirname(numpy.__file__)))')"
  local bare=(env -i PATH=/usr/bin:/bin HOME="$work" PYTHONPATH="$numpy" MIEN_TORCH="${torch%/lib}"
    MIEN_GPU_WORK="$work/work")
  mkdir "$work/first" "$work/second"
  (cd / && "${bare[@]}" OUT="$work/first" bash "$work/bundle/run.sh" check --device cpu --minutes 3 --trial 6)
  (cd / && "${bare[@]}" OUT="$work/second" bash "$work/bundle/run.sh" train --device cpu --minutes 1.5)
  collect "$work/second" "$work/runs"
  ls "$work"/runs/*/checkpoints/best.safetensors
}

(($#)) || usage
mode="$1"
shift
case "$mode" in
  pack | collect | try) "$mode" "$@" ;;
  *) usage ;;
esac
