#!/usr/bin/env bash
# Makes a Debian package of an installed folder, for the Debian or Ubuntu on which it was built: programs in /usr/bin, their
# libraries in /usr/lib/mien, OpenCV and FFmpeg by the system's own packages, and mien.service, which is not started.
#
#   scripts/deb.sh INSTALLED FOLDER    INSTALLED: what scripts/install.sh made; FOLDER: where mien_VERSION_amd64.deb goes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
(($# == 2)) || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64; }
installed="$(readlink -e "$1")"
version="$(scripts/version.sh)"
# 1.0.0-rc.1 comes before 1.0.0: in Debian's order, ~ does so.
debian_version="${version/-/\~}-1"
architecture="$(dpkg --print-architecture)"
name="mien_${debian_version}_$architecture"

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{DEBIAN,usr,lib/systemd/system,etc/mien}
cp -a "$installed/." "$root/usr/"
if [[ -x $root/usr/bin/mien-server ]]; then
  install -m 644 deploy/mien.service "$root/lib/systemd/system/mien.service"
  install -m 644 deploy/serve.yaml "$root/etc/mien/serve.yaml"
  echo /etc/mien/serve.yaml >"$root/DEBIAN/conffiles"
else
  rmdir "$root/etc/mien" "$root/etc" "$root/lib/systemd/system" "$root/lib/systemd" "$root/lib"
fi
# Debian's name for the licences.
{
  echo 'Mien, its programs and its models:'
  echo
  cat LICENSE
  echo
  echo "The libraries in /usr/lib/mien come with their own licences, in folders beside this file."
} >"$root/usr/share/doc/mien/copyright"
rm "$root/usr/share/doc/mien/LICENSE" "$root/usr/share/doc/mien/packages"

# The installed versions, without Debian's revision, are the oldest that are known to do.
depends=()
for package in $(<"$installed/share/doc/mien/packages"); do
  found="$(dpkg-query -W -f '${Version}' "$package")"
  depends+=("$package (>= ${found%-*})")
done
depends+=(ffmpeg)
printf -v list '%s, ' "${depends[@]}"
cat >"$root/DEBIAN/control" <<CONTROL
Package: mien
Version: $debian_version
Architecture: $architecture
Maintainer: Mien <mien@example.invalid>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f 1)
Depends: ${list%, }
Recommends: libheif1
Section: science
Priority: optional
Description: facial expressions in photos and videos
 Mien finds faces in photos and videos and reads what they show: anger,
 contempt, disgust, fear, happiness, neutral, sadness or surprise. It holds
 the command line program, an HTTP server (mien serve, mien.service), the
 model and OpenVINO.
CONTROL
cat >"$root/DEBIAN/postinst" <<'SH'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
SH
cat >"$root/DEBIAN/prerm" <<'SH'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now mien.service || true; fi
SH
cp "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"
chmod 755 "$root"/DEBIAN/{postinst,prerm,postrm}
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod -R go=u-w "$root"
mkdir -p "$2"
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" \
  dpkg-deb --root-owner-group -Zxz -z3 --build "$root" "$2/$name.deb" >/dev/null
echo "packed: $2/$name.deb ($(du -m "$2/$name.deb" | cut -f 1) MB)"
