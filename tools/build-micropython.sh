#!/bin/bash
# Have MicroPython 1.25 (unix port, standard variant, mbedtls, ffi) at $VIGIA_CACHE/bin/micropython, built from
# Debian's source packages through an apt configuration of its own: the system's stays as it is, nothing is
# installed. mbedtls is linked in statically with MicroPython's configuration, as OpenWrt's package does.
# About a minute, once. Needs gcc, make, pkg-config, libffi-dev, dpkg-dev, patch.
set -euo pipefail
suite=trixie
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
target=$cache/bin/micropython
wanted='import sys, tls, ffi, asyncio; sys.exit(sys.implementation[1][:2] != (1, 25))'
[ -x "$target" ] && "$target" -c "$wanted" 2>/dev/null && exit 0
mkdir -p "$cache/bin"
if found=$(command -v micropython) && "$found" -c "$wanted" 2>/dev/null; then
    ln -sf "$found" "$target"
    exit 0
fi
for tool in apt-get dpkg-source gcc make patch pkg-config; do
    command -v $tool >/dev/null ||
        { echo "vigia: no MicroPython 1.25 here and no $tool to build it: apt-get install gcc make patch pkg-config dpkg-dev libffi-dev" >&2; exit 1; }
done
# the mirror that this machine's own apt uses
mirror=$( (cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true) |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *((https?|file):[^ ]*\/debian)\/?( .*)?$/\3/p' | head -1)
[ -n "$mirror" ] ||
    { echo "vigia: no Debian mirror in apt's configuration to take MicroPython's source from; put micropython 1.25 on PATH" >&2; exit 1; }
work=$cache/build-micropython
log=$cache/build-micropython.log
echo "Building MicroPython 1.25 once into $cache (a minute; log: $log) ..."
trap 'echo "vigia: MicroPython could not be built; the last lines of $log:" >&2; tail -n 20 "$log" >&2' ERR
mkdir -p "$work"/apt/lists/partial "$work"/apt/cache/archives/partial "$work/frozen"
cd "$work"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > apt/sources.list
cat > apt/apt.conf <<APT
Dir::State::lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "$(id -un)";
APT
export APT_CONFIG=$work/apt/apt.conf

fetch() { # package folder
    [ -d "$2" ] && return
    apt-get -q source --download-only "$1/$suite"
    rm -rf "$2.part"
    dpkg-source -q -x "$1"_*.dsc "$2.part"
    mv "$2.part" "$2"
}

{
    apt-get -q update
    fetch micropython mp
    fetch mbedtls mbedtls
    # give MicroPython its own mbedtls back, which Debian's patch takes away
    if ! grep -q 'MBEDTLS_DIR = lib/mbedtls' mp/extmod/extmod.mk; then
        patch -d mp -p1 -R -s < mp/debian/patches/0006-extmod-Use-system-mbedtls.patch
    fi
    rmdir mp/lib/mbedtls 2>/dev/null || true
    ln -sfn "$work/mbedtls" mp/lib/mbedtls
    # only asyncio is frozen in: the agent uses the C module `tls`, which verifies by default
    printf 'include("$(MPY_DIR)/extmod/asyncio")\n' > frozen/manifest.py
    make -s -C mp/mpy-cross -j"$(nproc)" CFLAGS_EXTRA=-Wno-error
    make -s -C mp/ports/unix -j"$(nproc)" CFLAGS_EXTRA=-Wno-error STRIP=true FROZEN_MANIFEST="$work/frozen/manifest.py" \
        MICROPY_PY_BTREE=0 MICROPY_PY_FFI=1 MICROPY_PY_JNI=0 MICROPY_SSL_AXTLS=0 MICROPY_SSL_MBEDTLS=1
    install -m755 mp/ports/unix/build-standard/micropython "$target.new"
    strip "$target.new"
    "$target.new" -c "$wanted"
} > "$log" 2>&1
mv "$target.new" "$target"
cd "$cache"
rm -rf "$work"
