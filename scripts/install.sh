#!/usr/bin/env bash
# Installs `mien` under a folder: the program with its model, OpenVINO, the library that reads videos, and the
# cascade of the detector `haar`. Swift's own libraries are linked in; OpenCV comes from the system, and PREFIX/share/doc/mien/README
# says which packages.
#
#   scripts/install.sh PREFIX    PREFIX/bin/mien, PREFIX/lib/mien/, PREFIX/share/mien/, PREFIX/share/doc/mien/
#
# It builds in .build/install, so that the build for development stays as it is. DESTDIR is put before PREFIX.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($# == 1)) || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
case "$1" in /*) ;; *) echo "install: PREFIX must be a whole path, found $1" >&2; exit 64 ;; esac
target="${DESTDIR:-}$1"

scripts/setup.sh runtime
export PKG_CONFIG_PATH="$PWD/.native/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
flags=(-c release --jobs "${JOBS:-2}" --scratch-path .build/install --static-swift-stdlib)
swift build "${flags[@]}" --product mien
swift build "${flags[@]}" --product MienVideoShim
built="$(swift build "${flags[@]}" --show-bin-path)"

install -D -m 755 "$built/mien" "$target/bin/mien"
# SwiftPM links Swift's runtime into every shared library; this one has no Swift in it.
mkdir -p "$target/lib/mien"
read -ra libraries <<<"$(pkg-config --libs mien-opencv-video) -lavformat -lavcodec -lswscale -lavutil"
clang++ -shared -o "$target/lib/mien/libMienVideoShim.so" "$built"/COpenCVVideo.build/*.o "${libraries[@]}"
strip --strip-unneeded "$target/bin/mien" "$target/lib/mien/libMienVideoShim.so"
install -d "$target/lib/mien/openvino"
cp -P .native/openvino/*.so* "$target/lib/mien/openvino/"
install -D -m 644 .native/haarcascades/haarcascade_frontalface_alt2.xml \
  "$target/share/mien/haarcascades/haarcascade_frontalface_alt2.xml"
licences="$target/share/doc/mien/openvino"
install -d "$licences"
install -m 644 LICENSE "$target/share/doc/mien/LICENSE"
cp -R "$(readlink -f .native/openvino)/../dist-info/." "$licences/"
install -m 644 docs/face-networks.md "$target/share/doc/mien/face-networks.md"

# What the two link that is not beside them, and the packages that hold it.
own=" $(cd "$target/lib/mien/openvino" && echo *) "
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
    # dpkg knows files under /usr, the linker's list may name them without it.
    { dpkg -S "$path" 2>/dev/null || dpkg -S "/usr$path" 2>/dev/null; } | sed -n '1s/:.*//p'
  done | sort -u | tr '\n' ' '
}
cat >"$target/share/doc/mien/README" <<TEXT
mien $(git describe --tags --always 2>/dev/null || echo unreleased): finds faces in photos and videos and says what they show.

  bin/mien detect photo.jpg
  bin/mien video clip.mp4 --annotate marked.mp4 --timeline timeline.html

The folder may stand anywhere; bin/mien finds lib/mien and share/mien beside it. Inside are the model, OpenVINO, Swift's
libraries and the cascade of --detector haar. From the system it needs, on $(. /etc/os-release && echo "$PRETTY_NAME"):

  photos   $(packages "$target/bin/mien" "$target"/lib/mien/openvino/*.so*)
  writing annotated copies, and reading WebP, TIFF, BMP and JPEG 2000:
           $(packages "$target/lib/mien/libMienVideoShim.so" | tr ' ' '\n' | sed -n 's/^libopencv-videoio/libopencv-imgcodecs/p' | tr '\n' ' ')
  videos   $(packages "$target/lib/mien/libMienVideoShim.so"), and for --annotate with sound: ffmpeg

  shared libraries of photos: $(needed "$target/bin/mien" | tr '\n' ' ')
  shared libraries of videos: $(needed "$target/lib/mien/libMienVideoShim.so" | tr '\n' ' ')

HEIC and AVIF photos also need libheif1, a window of \`mien camera\` libopencv-highgui. Training (train, tune, reproduce,
export), which needs libtorch, and serving (serve, adapt, corrections) are not in here: \`make build\` in the sources makes
both.
TEXT
echo "installed in $target: $(du -sm "$target/bin/mien" "$target/lib/mien" "$target/share/mien" | awk '{ s += $1 } END { print s }') MB"
