#!/bin/bash
# Have nfpm, which writes .ipk and .deb, at $VIGIA_CACHE/bin/nfpm: the one on PATH when it is of this version,
# else built from its Go module. Needs Go >= 1.24; half a minute once.
set -euo pipefail
version=v2.43.0
cache=${VIGIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vigia}
target=$cache/bin/nfpm
[ -x "$target" ] && [ "$(cat "$target.version" 2>/dev/null)" = "$version" ] && exit 0
mkdir -p "$cache/bin"
command -v go >/dev/null || { echo "vigia: packages need nfpm ${version#v}, and there is no Go to build it" >&2; exit 1; }
work=$cache/build-nfpm
log=$cache/build-nfpm.log
echo "Building nfpm ${version#v} once into $cache ..."
trap 'echo "vigia: nfpm could not be built; the last lines of $log:" >&2; tail -n 20 "$log" >&2' ERR
mkdir -p "$work"
cd "$work"
export GOTOOLCHAIN=local
{
    [ -f go.mod ] || printf 'module build\n\ngo 1.24\n' > go.mod
    go get -tool "github.com/goreleaser/nfpm/v2/cmd/nfpm@$version"
    go build -trimpath -ldflags='-s -w' -o "$target.new" github.com/goreleaser/nfpm/v2/cmd/nfpm
    "$target.new" --version
} > "$log" 2>&1
mv "$target.new" "$target"
echo "$version" > "$target.version"
chmod -R u+w "$work"
rm -rf "$work"
