#!/bin/bash
# Unpack into VIGIA_CACHE Debian's qemu-user, which takes plugins (qemu-user-static cannot), to count instructions.
set -euo pipefail
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
target=$cache/qemu
packages=(qemu-user libcapstone4 liburing2)
[ -x "$target/usr/bin/qemu-mips" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    { echo "vigia: counting instructions needs ${packages[*]} unpacked in $target" >&2; exit 1; }
echo "Unpacking ${packages[*]} into $target ..."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
# the version of qemu-user-static, where it is installed: apt may know a newer one that its mirror no longer has
version=$(dpkg-query -W -f '=${Version}' qemu-user-static 2>/dev/null || true)
download() { (cd "$work" && apt-get -qq download "$1" "${packages[@]:1}" 2>/dev/null); }
download "qemu-user$version" || download qemu-user ||
    { echo "vigia: apt-get could not download ${packages[*]}; run apt-get update and again" >&2; exit 1; }
mkdir -p "$work/root" "$cache"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
rm -rf "$target"
mv "$work/root" "$target"
