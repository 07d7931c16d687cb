#!/bin/bash
# Have MicroPython 1.25 (unix port, standard variant, mbedtls) in $VIGIA_CACHE/bin: `micropython` for this machine,
# with ffi as OpenWrt builds it, and with the argument `mips` also `micropython-mips`, big-endian MIPS32 without ffi,
# static, for qemu-user. Built from Debian's source packages through an apt configuration of its own: the system's
# stays as it is, nothing is installed. mbedtls is linked in statically with MicroPython's configuration. About a
# minute each, once. Needs gcc, make, pkg-config, libffi-dev, dpkg-dev, patch; for mips gcc-mips-linux-gnu,
# libc6-dev-mips-cross and qemu-user-static.
set -euo pipefail
suite=trixie
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
native=$cache/bin/micropython
mips=$cache/bin/micropython-mips
wanted='import sys, tls, asyncio; sys.exit(sys.implementation[1][:2] != (1, 25))'

native_works() { "$1" -c "import ffi; $wanted" 2>/dev/null; }
mips_works() { [ -x "$1" ] && qemu-mips-static "$1" -c "$wanted" 2>/dev/null; }

mkdir -p "$cache/bin"
if ! native_works "$native" && found=$(command -v micropython) && native_works "$found"; then
    ln -sf "$found" "$native"
fi
missing=()
native_works "$native" || missing+=(native)
if [ "${1:-}" = mips ]; then mips_works "$mips" || missing+=(mips); fi
[ ${#missing[@]} -eq 0 ] && exit 0

tools=(apt-get dpkg-source gcc make patch pkg-config)
packages="gcc make patch pkg-config dpkg-dev libffi-dev"
if [ "${1:-}" = mips ]; then
    tools+=(mips-linux-gnu-gcc qemu-mips-static)
    packages+=" gcc-mips-linux-gnu libc6-dev-mips-cross qemu-user-static"
fi
for tool in "${tools[@]}"; do
    command -v $tool >/dev/null ||
        { echo "vigia: no MicroPython 1.25 (${missing[*]}) here and no $tool to build it: apt-get install $packages" >&2; exit 1; }
done
# the mirror that this machine's own apt uses
mirror=$( (cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true) |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *((https?|file):[^ ]*\/debian)\/?( .*)?$/\3/p' | head -1)
[ -n "$mirror" ] ||
    { echo "vigia: no Debian mirror in apt's configuration to take MicroPython's source from; put micropython 1.25 on PATH" >&2; exit 1; }
work=$cache/build-micropython
log=$cache/build-micropython.log
echo "Building MicroPython 1.25 (${missing[*]}) once into $cache (a minute; log: $log) ..."
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

build() { # folder for objects, further settings
    make -s -C mp/ports/unix -j"$(nproc)" BUILD="$1" STRIP=true FROZEN_MANIFEST="$work/frozen/manifest.py" \
        MICROPY_PY_BTREE=0 MICROPY_PY_JNI=0 MICROPY_SSL_AXTLS=0 MICROPY_SSL_MBEDTLS=1 "${@:2}"
}

native() {
    build build-native CFLAGS_EXTRA=-Wno-error MICROPY_PY_FFI=1
    strip -o "$native.new" mp/ports/unix/build-native/micropython
    native_works "$native.new"
    mv "$native.new" "$native"
}

mips() {
    build build-mips CROSS_COMPILE=mips-linux-gnu- MICROPY_PY_FFI=0 LDFLAGS_EXTRA=-static \
        CFLAGS_EXTRA="-Wno-error -march=mips32r2 -mtune=24kc -Os"
    mips-linux-gnu-strip -o "$mips.new" mp/ports/unix/build-mips/micropython
    mips_works "$mips.new"
    mv "$mips.new" "$mips"
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
    for variant in "${missing[@]}"; do
        "$variant"
    done
} > "$log" 2>&1
cd "$cache"
[ -n "${VIGIA_KEEP_SOURCES:-}" ] || rm -rf "$work"
