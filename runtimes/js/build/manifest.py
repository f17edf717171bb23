"""manifest.py HERE WORK OUT: write MANIFEST.json and LICENSES for the image in OUT, and the digests that Go embeds.

The digest names the image: SHA-256 over one line "SHA256  NAME" for each output, in the order listed.
"""

import hashlib
import json
import os
import subprocess
import sys

OUTPUTS = [("node.wasm.zst", "node.wasm")]
TOOLS = ["clang-19", "lld-19", "llvm-19", "libclang-rt-19-dev-wasm32", "libc++-19-dev-wasm32", "libc++abi-19-dev-wasm32", "make", "patch", "perl", "zstd"]
LICENCES = [
    ("QuickJS-NG", "src/quickjs/quickjs/LICENSE"),
    ("Node.js and what it carries (llhttp among it)", "src/node/LICENSE"),
    ("ada", "src/ada/LICENSE-MIT"),
    ("zlib", "src/zlib/LICENSE"),
    ("Brotli", "src/brotli/LICENSE"),
    ("OpenSSL", "src/openssl/LICENSE.txt"),
    ("acorn", "npm/node_modules/acorn/LICENSE"),
    ("acorn-walk", "npm/node_modules/acorn-walk/LICENSE"),
    ("cjs-module-lexer", "npm/node_modules/cjs-module-lexer/LICENSE"),
    ("minimatch", "npm/node_modules/minimatch/LICENSE"),
    ("brace-expansion", "npm/node_modules/brace-expansion/LICENSE"),
    ("balanced-match", "npm/node_modules/balanced-match/LICENSE.md"),
    ("undici", "npm/node_modules/undici/LICENSE"),
    ("wasi-libc", "sysroot/usr/share/doc/wasi-libc/copyright"),
    ("LLVM compiler-rt, libc++ and libc++abi", "/usr/share/doc/libclang-rt-19-dev-wasm32/copyright"),
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


def packages(here):
    with open(os.path.join(here, "package-lock.json")) as file:
        lock = json.load(file)
    for path, entry in sorted(lock["packages"].items()):
        if path and not entry.get("optional") and not entry.get("dev"):
            yield {"package": path.removeprefix("node_modules/"), "version": entry["version"], "integrity": entry["integrity"], "licence": entry["license"]}


def tools():
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *TOOLS]
    listed = subprocess.run(query, check=True, capture_output=True, text=True).stdout
    return dict(sorted(line.split() for line in listed.splitlines()))


def outputs(work, out):
    for name, unpacked in OUTPUTS:
        yield {"file": name, **measure(os.path.join(out, name)), "unpacked": measure(os.path.join(work, unpacked))}


def main(here, work, out):
    with open(os.path.join(out, "LICENSES"), "w") as target:
        for name, path in LICENCES:
            with open(os.path.join(work, path), encoding="utf-8", errors="replace") as source:
                target.write(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{source.read().strip()}\n\n")
    listed = list(outputs(work, out))
    names = "".join(f"{entry['sha256']}  {entry['file']}\n" for entry in listed)
    own = os.path.join(here, "patches")
    manifest = {
        "name": "js",
        "version": "20.19.2",
        "digest": hashlib.sha256(names.encode()).hexdigest(),
        "outputs": listed,
        "sources": list(sources(here)),
        "packages": list(packages(here)),
        "patches": {name: sha256(os.path.join(own, name)) for name in sorted(os.listdir(own))},
        "tools": tools(),
    }
    with open(os.path.join(out, "MANIFEST.json"), "w") as target:
        json.dump(manifest, target, indent=1)
        target.write("\n")
    with open(os.path.join(out, "digest.txt"), "w") as target:
        target.write(listed[0]["sha256"] + "\n")


main(*sys.argv[1:])
