#!/usr/bin/env bash
# Installs Mien under a folder: the programs with the model, OpenVINO, the library that reads videos, and the cascade of the
# detector `haar`. Swift's own libraries are linked in; OpenCV comes from the system, and PREFIX/share/doc/mien/README says
# which packages.
#
#   scripts/install.sh PREFIX [PART…]    recognition (mien), serving (mien-server), training (mien-train and libtorch);
#                                        all three unless some are named. PREFIX/bin, PREFIX/lib/mien, PREFIX/share
#
# It builds in .build/install, so that the build for development stays as it is; BUILT, a folder of programs that are built,
# is installed instead. DESTDIR is put before PREFIX.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($# >= 1)) || { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
case "$1" in /*) ;; *) echo "install: PREFIX must be a whole path, found $1" >&2; exit 64 ;; esac
target="${DESTDIR:-}$1"
shift
(($# > 0)) || set -- recognition serving training
declare -A parts=()
for part; do
  case "$part" in
    recognition | serving | training) parts[$part]=1 ;;
    *) echo "install: expected recognition, serving or training, found $part" >&2; exit 64 ;;
  esac
done
has() { [[ -n ${parts[$1]:-} ]]; }

products=()
has recognition && products+=(mien MienVideoShim)
has serving && products+=(mien-server)
has training && products+=(mien-train)
level=runtime
if has serving || has training; then level=training; fi
if [[ -n ${BUILT:-} ]]; then
  built="$(readlink -e "$BUILT")"
else
  scripts/setup.sh "$level"
  export PKG_CONFIG_PATH="$PWD/.native/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
  flags=(-c release --jobs "${JOBS:-2}" --scratch-path .build/install --static-swift-stdlib)
  # What mien-server is made of.
  if has serving; then flags+=(--traits Server); fi
  for product in "${products[@]}"; do swift build "${flags[@]}" --product "$product"; done
  built="$(swift build "${flags[@]}" --show-bin-path)"
fi
export PKG_CONFIG_PATH="$PWD/.native/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

# What is in the folder, for the list of packages at the end.
programs=()
install_program() { # NAME
  install -D -m 755 "$built/$1" "$target/bin/$1"
  strip --strip-unneeded "$target/bin/$1"
  programs+=("$target/bin/$1")
}
mkdir -p "$target/lib/mien"
version="$(scripts/version.sh)"
scripts/version.sh --commit >"$target/lib/mien/commit"
doc="$target/share/doc/mien"
install -D -m 644 LICENSE "$doc/LICENSE"
if has recognition; then
  install_program mien
  # SwiftPM links Swift's runtime into every shared library; this one has no Swift in it.
  # What the built one needs, but for Swift's own library.
  read -ra libraries <<<"$(readelf -d "$built/libMienVideoShim.so" |
    sed -n '/libswift/d; s/.*(NEEDED).*\[\(lib[^]]*\)\].*/-l:\1/p' | tr '\n' ' ')"
  clang++ -shared -o "$target/lib/mien/libMienVideoShim.so" "$built"/COpenCVVideo.build/*.o "${libraries[@]}"
  strip --strip-unneeded "$target/lib/mien/libMienVideoShim.so"
fi
if has serving; then
  install_program mien-server
  install -D -m 644 deploy/serve.yaml "$doc/serve.yaml"
  install -m 644 docs/server.md "$doc/server.md"
fi
if has recognition || has serving; then
  install -d "$target/lib/mien/openvino"
  cp -P .native/openvino/*.so* "$target/lib/mien/openvino/"
  install -D -m 644 .native/haarcascades/haarcascade_frontalface_alt2.xml \
    "$target/share/mien/haarcascades/haarcascade_frontalface_alt2.xml"
  install -m 644 docs/face-networks.md "$doc/face-networks.md"
  install -d "$doc/openvino"
  cp -R "$(readlink -f .native/openvino)/../dist-info/." "$doc/openvino/"
fi
if has training; then
  install_program mien-train
  # libtorch finds NVIDIA's libraries two folders up, beside `torch`, through the link as well.
  wheel="$(readlink -f .native/torch)/../.."
  install -d "$target/lib/mien/libtorch/torch/lib" "$doc/torch"
  cp -P "$wheel"/torch/lib/*.so* "$target/lib/mien/libtorch/torch/lib/"
  [[ ! -d $wheel/nvidia ]] || cp -R "$wheel/nvidia" "$target/lib/mien/libtorch/"
  ln -sfn libtorch/torch/lib "$target/lib/mien/torch"
  cp -R "$wheel"/torch-*.dist-info/. "$doc/torch/"
fi

# What they link that is not beside them, and the packages that hold it.
own=" $(find "$target/lib/mien" -name '*.so*' -printf '%f ') "
needed() { # FILE...
  local library
  readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u | while read -r library; do
    [[ $own == *" $library "* ]] || echo "$library"
  done
}
packages() { # FILE...
  local library path
  needed "$@" | while read -r library; do
    path="$(ldconfig -p | awk -v name="$library" '$1 == name { print $NF; exit }')"
    [[ -n $path ]] || continue
    # dpkg knows files under /usr, the linker's list may name them without it.
    { dpkg -S "$path" 2>/dev/null || dpkg -S "/usr$path" 2>/dev/null; } | sed -n '1s/:.*//p'
  done | sort -u | tr '\n' ' '
}
files=("${programs[@]}")
[[ ! -d $target/lib/mien/openvino ]] || files+=("$target"/lib/mien/openvino/*.so*)
if has recognition; then files+=("$target/lib/mien/libMienVideoShim.so"); fi
linked="$(packages "${files[@]}")"
# Loaded when a picture needs it, so nothing links it.
codecs="$(tr ' ' '\n' <<<"$linked" | sed -n 's/^libopencv-core/libopencv-imgcodecs/p')"
# For the Containerfile and the Debian package.
tr ' ' '\n' <<<"$linked $codecs" | sed '/^$/d' | sort -u | tr '\n' ' ' >"$doc/packages"

{
  echo "mien $version ($(<"$target/lib/mien/commit")): finds faces in photos and videos and says what they show."
  cat <<'TEXT'

  bin/mien detect photo.jpg
  bin/mien video clip.mp4 --annotate marked.mp4 --timeline timeline.html
TEXT
  if has serving; then echo "  bin/mien serve"; fi
  if has training; then echo "  bin/mien train mien-s --data faces.safetensors -o runs/faces"; fi
  echo
  echo "The folder may stand anywhere; the programs find lib/mien and share/mien beside bin. Inside are the model, OpenVINO,"
  echo "Swift's libraries and the cascade of --detector haar. From the system they need, on $(. /etc/os-release && echo "$PRETTY_NAME"):"
  echo
  for program in "${programs[@]}"; do
    printf '  %-12s %s\n' "$(basename "$program")" "$(packages "$program")"
    printf '  %-12s %s\n' '' "$(needed "$program" | tr '\n' ' ')"
  done
  if has recognition; then
    printf '  %-12s %s\n' videos "$(packages "$target/lib/mien/libMienVideoShim.so"), and ffmpeg for --annotate with sound"
    printf '  %-12s %s\n' '' "$(needed "$target/lib/mien/libMienVideoShim.so" | tr '\n' ' ')"
  fi
  echo
  [[ -z $codecs ]] || echo "Annotated copies, and WebP, TIFF, BMP and JPEG 2000 photos need $codecs."
  echo "HEIC and AVIF photos also need libheif1; a window of mien camera needs libopencv-highgui."
  if ! has serving; then echo "serve, adapt and corrections are not in here: they need mien-server."; fi
  if ! has training; then echo "train, tune, reproduce and export are not in here: they need mien-train, a package of its own."; fi
} >"$doc/README"
echo "installed in $target: ${!parts[*]}, $(du -scm "$target/bin" "$target/lib/mien" "$target/share" | awk 'END { print $1 }') MB"
