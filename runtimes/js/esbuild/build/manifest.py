"""manifest.py WORK OUT VERSION: write MANIFEST.json, LICENSES and digest.txt for the image in OUT."""

import hashlib
import json
import os
import subprocess
import sys


def run(*command, cwd=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout.strip()


def measure(path):
    with open(path, "rb") as file:
        return {"size": os.path.getsize(path), "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def modules(work, version):
    """The modules that the program is made of, with go.sum's sums."""
    sums = {}
    for line in open(os.path.join(work, "src/go.sum")):
        name, at, sum = line.split()
        sums[name, at] = sum
    used = run("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/esbuild", cwd=os.path.join(work, "src"))
    for line in sorted(set(filter(None, used.splitlines()))):
        name, at, folder = line.split()
        yield name, at, sums[name, at], folder
    own = json.loads(run("go", "mod", "download", "-json", f"github.com/evanw/esbuild@{version}"))
    yield own["Path"], own["Version"], own["Sum"], own["Dir"]


def main(work, out, version):
    os.environ.update(GOOS="wasip1", GOARCH="wasm")
    listed = list(modules(work, version))
    with open(os.path.join(out, "LICENSES"), "w") as target:
        folders = [("Go's library", run("go", "env", "GOROOT"))] + [(name, folder) for name, _, _, folder in listed]
        for name, folder in folders:
            file = next(f for f in ("LICENSE", "LICENSE.md") if os.path.exists(os.path.join(folder, f)))
            text = open(os.path.join(folder, file), encoding="utf-8").read().strip()
            target.write(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{text}\n\n")
    packed = measure(os.path.join(out, "esbuild.wasm.zst"))
    manifest = {
        "name": "esbuild",
        "version": version.removeprefix("v"),
        "outputs": [{"file": "esbuild.wasm.zst", **packed, "unpacked": measure(os.path.join(work, "esbuild.wasm"))}],
        "sources": [{"package": name, "version": at, "sum": sum, "licence": "MIT" if name.endswith("/esbuild") else "BSD-3-Clause"} for name, at, sum, _ in listed],
        "tools": {"go": run("go", "env", "GOVERSION")},
    }
    with open(os.path.join(out, "MANIFEST.json"), "w") as target:
        json.dump(manifest, target, indent=1)
        target.write("\n")
    with open(os.path.join(out, "digest.txt"), "w") as target:
        target.write(packed["sha256"] + "\n")


main(*sys.argv[1:])
