#!/bin/bash
# Have uv: the one on PATH, else one in .uv/ of this checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v uv >/dev/null && exit 0
[ -x .uv/bin/uv ] && exit 0
version=0.13.9
python=$(command -v python3) || { echo "vigia: no python3 here; install Python 3.11 or newer" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "vigia: $("$python" --version) is too old; install Python 3.11 or newer" >&2; exit 1; }
rm -rf .uv
echo "Setting up uv $version in .uv/ ..."
# Debian splits venv's pip from python3; a pip that is already there can fill a bare environment.
if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv .uv
    .uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$version"
elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip .uv
    "$python" -m pip --python .uv/bin/python install --quiet --disable-pip-version-check "uv==$version"
else
    rm -rf .uv
    echo "vigia: Python has neither venv nor pip here: apt-get install python3-venv" >&2
    exit 1
fi
