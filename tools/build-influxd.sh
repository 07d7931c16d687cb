#!/bin/bash
# Have a real InfluxDB 2 server at $VIGIA_CACHE/bin/influxd: the one on PATH, else built from its Go module and
# Flux's Rust crates. Needs Go >= 1.24, a stable Rust toolchain and a C compiler; 3 to 6 minutes once.
#
# What is not obvious:
#  - Flux pins an old Rust toolchain inside its source; RUSTUP_TOOLCHAIN overrides the pin.
#  - Flux's build script denies warnings that newer compilers give; RUSTFLAGS does not reach host artifacts once
#    cargo is called with --target, a wrapper around rustc does.
#  - The wrapper leaves libflux inside Go's build cache, and Go remembers its path: a cleaned shared cache would
#    break the link step, so the build has a cache of its own.
#  - cgo finds Flux through InfluxData's own pkg-config wrapper, and it must be the one in PKG_CONFIG.
set -euo pipefail
version=v2.7.12
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
target=$cache/bin/influxd
[ -x "$target" ] && exit 0
mkdir -p "$cache/bin"
if found=$(command -v influxd) && "$found" version | grep -q 'InfluxDB v\?2\.'; then
    ln -sf "$found" "$target"
    exit 0
fi
for tool in go rustc cargo cc; do
    command -v $tool >/dev/null ||
        { echo "vigia: no influxd here and no $tool to build it: install InfluxDB 2.7, or Go, Rust and gcc" >&2; exit 1; }
done
work=$cache/build-influxd
log=$cache/build-influxd.log
echo "Building InfluxDB ${version#v} once into $cache (minutes; log: $log) ..."
trap 'echo "vigia: InfluxDB could not be built; the last lines of $log:" >&2; tail -n 20 "$log" >&2' ERR
mkdir -p "$work/shim"
cd "$work"
export GOCACHE=$work/gocache GOTOOLCHAIN=local
{
    [ -f go.mod ] || printf 'module build\n\ngo 1.24\n' > go.mod
    go get -tool "github.com/influxdata/influxdb/v2/cmd/influxd@$version" github.com/influxdata/pkg-config@v0.2.14
    go build -o shim/pkg-config github.com/influxdata/pkg-config
    printf '#!/bin/sh\nexec "$@" --cap-lints=warn\n' > shim/rustc-cap-lints
    chmod +x shim/rustc-cap-lints
    export RUSTUP_TOOLCHAIN=stable RUSTC_WRAPPER=$work/shim/rustc-cap-lints PKG_CONFIG=$work/shim/pkg-config
    go build -trimpath -ldflags='-s -w' -tags sqlite_foreign_keys,sqlite_json \
        -o "$target.new" github.com/influxdata/influxdb/v2/cmd/influxd
    "$target.new" version
} > "$log" 2>&1
mv "$target.new" "$target"
chmod -R u+w "$work"
rm -rf "$work"
