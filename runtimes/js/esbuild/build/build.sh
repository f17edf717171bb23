#!/bin/bash
# Builds the command esbuild for the sandbox: upstream's cmd/esbuild, and guest_unsafe.go beside this script.
#
#   build.sh WORKDIR [OUTDIR]      OUTDIR defaults to ../image beside this script
#
# Needs Go, Go's module proxy, python3 and zstd. Go verifies the module by go.sum, whose sums the manifest repeats.
set -euo pipefail

VERSION=v0.28.2
export GOTOOLCHAIN=go1.26.8 GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0

HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mkdir -p "${1:?usage: build.sh WORKDIR [OUTDIR]}" && cd "$1" && pwd)
OUT=$(mkdir -p "${2:-$HERE/../image}" && cd "${2:-$HERE/../image}" && pwd)

cd "$HERE"
source=$(go mod download -json "github.com/evanw/esbuild@$VERSION" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
rm -rf "$WORK/src"
cp -r "$source" "$WORK/src"
chmod -R u+w "$WORK/src"
cp "$HERE/guest_unsafe.go" "$WORK/src/cmd/esbuild/"
cd "$WORK/src"
GOOS=wasip1 GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$WORK/esbuild.wasm" ./cmd/esbuild

zstd -q -f -19 --long=23 -T1 "$WORK/esbuild.wasm" -o "$WORK/esbuild.wasm.zst"
install -m 644 "$WORK/esbuild.wasm.zst" "$OUT/esbuild.wasm.zst.new"
mv "$OUT/esbuild.wasm.zst.new" "$OUT/esbuild.wasm.zst"
python3 "$HERE/manifest.py" "$WORK" "$OUT" "$VERSION"
