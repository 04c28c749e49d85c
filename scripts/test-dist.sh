#!/usr/bin/env bash
# Tries what scripts/dist.sh packed. The tarballs are unpacked in a root of their own, which has the system's /usr and /etc and
# nothing else: no Swift, no sources, no home. The Debian package is installed by apt in a root that debootstrap makes, where
# it may not be missing (skipped without debootstrap or a mirror). Each reads the sample photo, a clip made of it where ffmpeg
# is, and answers over HTTP.
#
#   scripts/test-dist.sh FOLDER    needs root, or user namespaces for the tarballs alone
set -euo pipefail
(($# == 1)) || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
dist="$(readlink -e "$1")"
export PATH="$PATH:/usr/sbin:/sbin"
photo="$here/.native/samples/astronaut.png"
namespaces=(--mount)
((EUID == 0)) || namespaces+=(--user --map-root-user)

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
(cd "$dist" && sha256sum --quiet --check SHA256SUMS)
mkdir "$folder/pictures"
cp "$photo" "$folder/pictures/photo.png"
if command -v ffmpeg >/dev/null; then
  ffmpeg -v error -loop 1 -framerate 10 -t 1 -i "$photo" -pix_fmt yuv420p -c:v libx264 "$folder/pictures/clip.mp4"
fi

# In the root: reads what is in /pictures with the programs in a folder. Programs that were built for development find
# Swift's libraries by LD_LIBRARY_PATH, in /swift.
cat >"$folder/try.sh" <<'SH'
set -euo pipefail
bin=$1
if command -v swift >/dev/null; then echo "test-dist: there is a Swift in this root" >&2; exit 1; fi
cd /pictures
"$bin/mien" detect photo.png --json photo.json
grep -q '"emotion":"happiness"' photo.json
if [[ -f clip.mp4 ]] && command -v ffmpeg >/dev/null; then
  "$bin/mien" video clip.mp4 --json clip.jsonl --annotate marked.mp4 --timeline clip.html
  [[ $(grep -c '"emotion":"happiness"' clip.jsonl) == 10 && -s marked.mp4 && -s clip.html ]]
fi
"$bin/mien" serve --port 0 --state-dir state 2>log &
server=$!
until port="$(sed -n 's|.*"url":"http:.*:\([0-9]*\)".*|\1|p' log 2>/dev/null)" && [[ -n $port ]]; do
  kill -0 "$server" || { cat log >&2; exit 1; }
  sleep 0.1
done
exec 3<>"/dev/tcp/127.0.0.1/$port"
{
  printf 'POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\n'
  printf 'Content-Length: %s\r\n\r\n' "$(stat -c %s photo.png)"
  cat photo.png
} >&3
grep -q '"emotion":"happiness"' <&3
kill -TERM "$server"
wait "$server"
SH

lend_swift() { # ROOT PROGRAM
  readelf -d "$2" | grep -q libswiftCore.so || return 0
  echo "test-dist: $(basename "$2") is not static; it is lent the toolchain's libraries"
  cp -R "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/lib/swift/linux" "$1/swift"
}

root="$folder/system"
mkdir -p "$root"/{usr,etc,proc,dev,tmp,opt,pictures}
for link in bin lib lib64; do [[ -L /$link ]] && cp -P "/$link" "$root/$link"; done
for tarball in "$dist"/*.tar.xz; do tar -C "$root/opt" -xf "$tarball"; done
mv "$root"/opt/mien-* "$root/opt/mien"
lend_swift "$root" "$root/opt/mien/bin/mien"
cp "$folder"/pictures/* "$root/pictures/"
cp "$folder/try.sh" "$root/"
# shellcheck disable=SC2016 # expanded inside
unshare "${namespaces[@]}" /bin/bash -c '
  set -euo pipefail
  root=$1
  mount --rbind /usr "$root/usr"
  mount --rbind /etc "$root/etc"
  mount --rbind /dev "$root/dev"
  mount --rbind /proc "$root/proc"
  run() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/pictures LD_LIBRARY_PATH=/swift "$@"; }
  run /bin/bash /try.sh /opt/mien/bin
  if [[ -x $root/opt/mien/bin/mien-train ]]; then
    run /opt/mien/bin/mien train --help | grep -q -- --data
    ! ldd=$(run /usr/bin/ldd /opt/mien/bin/mien-train | grep "not found") || { echo "test-dist: $ldd" >&2; exit 1; }
  fi
' bash "$root"
echo "test-dist: the tarball reads a photo and a video and serves, without Swift"

package="$(compgen -G "$dist/*.deb" || true)"
[[ -n $package ]] || exit 0
((EUID == 0)) || { echo "test-dist: the Debian package is not tried: needs root"; exit 0; }
command -v debootstrap >/dev/null || { echo "test-dist: the Debian package is not tried: needs debootstrap"; exit 0; }
mirror="${MIRROR:-http://deb.debian.org/debian}"
suite="$(. /etc/os-release && echo "$VERSION_CODENAME")"
root="$folder/debian"
cache="${MIEN_CACHE:-$HOME/.cache/mien}/debootstrap"
mkdir -p "$cache"
if ! debootstrap --variant=minbase --cache-dir="$cache" "$suite" "$root" "$mirror" >"$folder/debootstrap.log" 2>&1; then
  tail -n 3 "$folder/debootstrap.log"
  echo "test-dist: the Debian package is not tried: debootstrap failed with $mirror"
  exit 0
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$package" "$root/mien.deb"
mkdir "$root/pictures"
cp "$folder"/pictures/* "$root/pictures/"
cp "$folder/try.sh" "$root/"
dpkg-deb -x "$package" "$folder/unpacked"
lend_swift "$root" "$folder/unpacked/usr/bin/mien"
# shellcheck disable=SC2016 # expanded inside
unshare --mount /bin/bash -c '
  set -euo pipefail
  root=$1
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  run() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root "$@"; }
  log="$root/apt.log"
  run apt-get update >"$log" 2>&1 && run apt-get install --yes --no-install-recommends /mien.deb >>"$log" 2>&1 ||
    { tail -n 15 "$log" >&2; exit 1; }
  run env LD_LIBRARY_PATH=/swift /bin/bash /try.sh /usr/bin
  run dpkg --verify mien
  # The configuration that an operator changed outlasts removal, not a purge.
  echo "port: 8081" >>"$root/etc/mien/serve.yaml"
  run dpkg --remove mien >/dev/null
  [[ ! -e $root/usr/bin/mien && -f $root/etc/mien/serve.yaml ]]
  run dpkg --purge mien >/dev/null 2>&1
  [[ ! -e $root/etc/mien/serve.yaml ]]
' bash "$root"
echo "test-dist: the Debian package is installed by apt, reads, serves and is removed"
