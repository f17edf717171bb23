"""manifest.py HERE WORK OUT: write MANIFEST.json and LICENSES for the image in OUT.

The digest names the image: SHA-256 over one line "SHA256  NAME" for each
output, in the order listed.
"""

import hashlib
import json
import os
import subprocess
import sys

TOOLS = ["clang-19", "lld-19", "llvm-19", "libclang-rt-19-dev-wasm32", "gcc", "make", "patch", "zstd"]
OUTPUTS = ["git.wasm", "files.zip"]
# What is linked into the program: name, and where its licence stands.
LICENCES = [
    ("git: GPL version 2", "src/git/COPYING"),
    ("zlib", "src/zlib/README"),
    ("libdeflate", "src/libdeflate/COPYING"),
    ("PCRE2", "src/pcre2/LICENCE"),
    ("collision detecting SHA-1 (sha1dc)", "src/git/sha1dc/LICENSE.txt"),
    ("xdiff, compat/regex: LGPL version 2.1", "src/git/LGPL-2.1"),
    ("wasi-libc", "sysroot/usr/share/doc/wasi-libc/copyright"),
    ("LLVM compiler-rt", "/usr/share/doc/libclang-rt-19-dev-wasm32/copyright"),
]


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def measure(path):
    return {"size": os.path.getsize(path), "sha256": sha256(path)}


def sources(here):
    fields = ["package", "version", "file", "sha256", "licence", "upstream"]
    with open(os.path.join(here, "sources.txt")) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield dict(zip(fields, (part.strip() for part in line.split("|"))))


def patches(here, work):
    folder = os.path.join(work, "debian")
    debian = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name, "applied")) as file:
            applied = file.read().split()
        if applied:
            debian[name] = applied
    own = os.path.join(here, "patches")
    return {"debian": debian, "own": {name: sha256(os.path.join(own, name)) for name in sorted(os.listdir(own))}}


def tools():
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *TOOLS]
    listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    return dict(sorted(line.split() for line in listed.splitlines()))


def outputs(work, out):
    for name in OUTPUTS:
        yield {"file": f"{name}.zst", **measure(os.path.join(out, f"{name}.zst")), "unpacked": measure(os.path.join(work, name))}


def licences(work, out):
    with open(os.path.join(out, "LICENSES"), "w") as target:
        for name, path in LICENCES:
            with open(os.path.join(work, path), encoding="utf-8", errors="replace") as source:
                text = source.read()
            target.write(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{text.strip()}\n\n")


def main(here, work, out):
    licences(work, out)
    listed = list(outputs(work, out))
    names = "".join(f"{entry['sha256']}  {entry['file']}\n" for entry in listed)
    manifest = {
        "name": "git",
        "version": "2.39.5",
        "digest": hashlib.sha256(names.encode()).hexdigest(),
        "outputs": listed,
        "sources": list(sources(here)),
        "patches": patches(here, work),
        "toolchain": tools(),
    }
    with open(os.path.join(out, "MANIFEST.json"), "w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")


main(*sys.argv[1:])
