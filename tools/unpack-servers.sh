#!/bin/bash
# Unpack into VIGIA_CACHE what the tests need of Debian's packages but a machine should not have installed:
# apcupsd (which would remove NUT), the tools that make NSS's certificate store for upsd, and the ssh server of OpenWrt.
set -euo pipefail
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
target=$cache/unpacked
packages=(apcupsd libusb-0.1-4 libnss3-tools dropbear-bin libtomcrypt1 libtommath1)
[ -x "$target/sbin/apcupsd" ] && [ -x "$target/usr/bin/pk12util" ] && [ -x "$target/usr/sbin/dropbear" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    { echo "vigia: the tests need ${packages[*]} unpacked in $target" >&2; exit 1; }
echo "Unpacking ${packages[*]} into $target ..."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
download() { (cd "$work" && apt-get -qq download "${packages[@]}" 2>/dev/null); }
download || { [ "$(id -u)" = 0 ] && apt-get -qq update && download; } ||
    { echo "vigia: apt-get could not download ${packages[*]}; run apt-get update and again" >&2; exit 1; }
mkdir -p "$work/root" "$cache"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
rm -rf "$target"
mv "$work/root" "$target"
