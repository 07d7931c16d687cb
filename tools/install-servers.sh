#!/bin/bash
# Have the servers that come from Debian's packages; install what is missing when we may.
set -euo pipefail
declare -A package=(
    [mosquitto]=mosquitto [upsd]=nut-server [upsc]=nut-client [chromium]=chromium
    [mips-linux-gnu-gcc]=gcc-mips-linux-gnu [qemu-mips-static]=qemu-user-static
    [systemd-analyze]=systemd [nsenter]=util-linux
    [gcc]=gcc [make]=make [patch]=patch [pkg-config]=pkg-config [dpkg-source]=dpkg-dev
)
PATH=$PATH:/usr/sbin:/sbin
wanted=()
for program in "${!package[@]}"; do
    command -v "$program" >/dev/null || wanted+=("${package[$program]}")
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || wanted+=(postgresql)
[ -x /lib/nut/dummy-ups ] || [ -x /usr/lib/nut/dummy-ups ] || wanted+=(nut-server)
# MicroPython's foreign functions
[ -n "$(find /usr/include -name ffi.h -print -quit 2>/dev/null)" ] || wanted+=(libffi-dev)
[ -e /usr/mips-linux-gnu/include/stdio.h ] || wanted+=(libc6-dev-mips-cross)
# what the agent's Debian package depends on
for package in python3-cryptography python3-psutil adduser init-system-helpers; do
    [ -e "/var/lib/dpkg/info/$package.list" ] || wanted+=("$package")
done
[ ${#wanted[@]} -eq 0 ] && exit 0
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
if [ "$(id -u)" = 0 ]; then as_root=()
elif sudo -n true 2>/dev/null; then as_root=(sudo -n)
else
    echo "vigia: the tests need ${wanted[*]}; run: sudo apt-get install ${wanted[*]}" >&2
    exit 1
fi
command -v apt-get >/dev/null || { echo "vigia: the tests need ${wanted[*]}; install them with this system's packages" >&2; exit 1; }
echo "Installing ${wanted[*]} ..."
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update
# a test machine wants no server of its own running: policy-rc.d would say so, the tests use ports of their own anyway
"${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${wanted[@]}" >/dev/null ||
    { echo "vigia: apt-get could not install ${wanted[*]}; install them by hand and run again" >&2; exit 1; }
