"""manifest.py HERE WORK OUT: write MANIFEST.json and LICENSES for the image in OUT.

The digest names the image: SHA-256 over one line "SHA256  NAME" for each
output, in the order listed.
"""

import hashlib
import json
import os
import subprocess
import sys

OUTPUTS = [("python.wasm.zst", "python.wasm"), ("stdlib.zip.zst", "stdlib.zip"), ("preload.txt", None)]
TOOLS = [
    "clang-19", "lld-19", "llvm-19", "libclang-rt-19-dev-wasm32", "gcc", "libc-bin", "make", "patch", "perl", "tcl",
    "zstd",
]
LICENCES = [
    ("CPython", "src/python/LICENSE"),
    ("Software incorporated in CPython (Expat, libmpdec, HACL*, BLAKE2 and others)", "src/python/Doc/license.rst"),
    ("pip (what it brings along has its licences beside it, in pip/_vendor)", "tree/usr/lib/python3.13/site-packages/pip-25.1.1.dist-info/licenses/LICENSE.txt"),
    ("zlib", "src/zlib/LICENSE"),
    ("bzip2", "src/bzip2/LICENSE"),
    ("XZ Utils (liblzma)", "src/xz/COPYING.0BSD"),
    ("SQLite", "src/sqlite/LICENSE.md"),
    ("OpenSSL", "src/openssl/LICENSE.txt"),
    ("Time zone database", "src/tzdata/LICENSE"),
    ("wasi-libc", "sysroot/usr/share/doc/wasi-libc/copyright"),
    ("LLVM compiler-rt", "/usr/share/doc/libclang-rt-19-dev-wasm32/copyright"),
]


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(path):
    return {"size": os.path.getsize(path), "sha256": sha256(path)}


def sources(here):
    fields = ["package", "version", "file", "sha256", "licence", "upstream"]
    with open(os.path.join(here, "sources.txt")) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield dict(zip(fields, (part.strip() for part in line.split("|")), strict=True))


def patches(here, work):
    folder = os.path.join(work, "debian")
    debian = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name, "applied")) as file:
            debian[name] = file.read().split()
    own = os.path.join(here, "patches")
    return {"debian": debian, "own": {name: sha256(os.path.join(own, name)) for name in sorted(os.listdir(own))}}


def tools():
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *TOOLS]
    listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    return dict(sorted(line.split() for line in listed.splitlines()))


def outputs(work, out):
    for name, unpacked in OUTPUTS:
        entry = {"file": name, **measure(os.path.join(out, name))}
        if unpacked:
            entry["unpacked"] = measure(os.path.join(work, unpacked))
        yield entry


def licences(work, out):
    with open(os.path.join(out, "LICENSES"), "w") as target:
        for name, path in LICENCES:
            with open(os.path.join(work, path), encoding="utf-8", errors="replace") as source:
                target.write(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{source.read().strip()}\n\n")


def main(here, work, out):
    licences(work, out)
    listed = list(outputs(work, out))
    names = "".join(f"{entry['sha256']}  {entry['file']}\n" for entry in listed)
    manifest = {
        "name": "python",
        "version": "3.13.5",
        "digest": hashlib.sha256(names.encode()).hexdigest(),
        "outputs": listed,
        "sources": list(sources(here)),
        "patches": patches(here, work),
        "profile": measure(os.path.join(here, "python.profdata.zst")),
        "toolchain": tools(),
    }
    with open(os.path.join(out, "MANIFEST.json"), "w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")


main(*sys.argv[1:])
