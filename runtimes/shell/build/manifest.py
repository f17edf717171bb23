"""manifest.py HERE WORK OUT: write MANIFEST.json and LICENSES for the image in OUT.

The digest names the image: SHA-256 over one line "SHA256  NAME" for each
output, in the order listed.
"""

import hashlib
import json
import os
import subprocess
import sys

TOOLS = ["clang-19", "lld-19", "llvm-19", "libclang-rt-19-dev-wasm32", "gcc", "make", "ncurses-bin", "patch", "zstd"]
# What is linked into programs, or is one: name in the sources, and where its licence stands.
LICENCES = [
    ("GNU bash, coreutils, sed, grep, gawk, findutils, diffutils, patch, tar, gzip, bc, make: GPL version 3", "src/coreutils/COPYING"),
    ("tree: GPL version 2", "src/tree/LICENSE"),
    ("GNU ed: GPL version 2 or later", "src/ed/COPYING"),
    ("diffstat", "src/diffstat/COPYING"),
    ("GNU gettext's envsubst: GPL version 3", "src/gettext/gettext-runtime/COPYING"),
    ("less", "src/less/LICENSE"),
    ("file", "src/file/COPYING"),
    ("ncurses", "src/ncurses/COPYING"),
    ("util-linux: GPL version 2 or later", "src/util-linux/Documentation/licenses/COPYING.GPL-2.0-or-later"),
    ("util-linux: BSD with advertising", "src/util-linux/Documentation/licenses/COPYING.BSD-4-Clause-UC"),
    ("util-linux's libraries: LGPL version 2.1 or later", "src/util-linux/Documentation/licenses/COPYING.LGPL-2.1-or-later"),
    ("psmisc's pstree: GPL version 2 or later", "src/psmisc/COPYING"),
    ("bzip2", "src/bzip2/LICENSE"),
    ("zstd", "src/zstd/LICENSE"),
    ("XZ Utils", "src/xz/COPYING"),
    ("jq", "src/jq/COPYING"),
    ("Oniguruma", "src/onig/COPYING"),
    ("SQLite", "src/sqlite/LICENSE.md"),
    ("PCRE2", "src/pcre2/LICENCE.md"),
    ("Time zone database", "src/tzdata/LICENSE"),
    ("toybox", "src/toybox/LICENSE"),
    ("Info-ZIP zip", "src/zip/LICENSE"),
    ("Info-ZIP unzip", "src/unzip/LICENSE"),
    ("xxd (Juergen Weigert, MIT or GPL version 2), of vim", "src/vim/src/xxd/xxd.c"),
    ("wasi-libc", "sysroot/usr/share/doc/wasi-libc/copyright"),
    ("LLVM compiler-rt", "/usr/share/doc/libclang-rt-19-dev-wasm32/copyright"),
]
# Of a source file, only this much: its licence stands at the top.
HEAD = 120


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
    yield {"file": "programs.txt", **measure(os.path.join(out, "programs.txt"))}
    for name in sorted(os.listdir(out)):
        if name.endswith(".zst"):
            unpacked = os.path.join(work, name.removesuffix(".zst"))
            yield {"file": name, **measure(os.path.join(out, name)), "unpacked": measure(unpacked)}


def licences(work, out):
    with open(os.path.join(out, "LICENSES"), "w") as target:
        for name, path in LICENCES:
            with open(os.path.join(work, path), encoding="utf-8", errors="replace") as source:
                text = source.read()
            if path.endswith(".c"):
                text = "\n".join(text.splitlines()[:HEAD])
            target.write(f"{'=' * 78}\n{name}\n{'=' * 78}\n\n{text.strip()}\n\n")


def main(here, work, out):
    licences(work, out)
    listed = list(outputs(work, out))
    names = "".join(f"{entry['sha256']}  {entry['file']}\n" for entry in listed)
    manifest = {
        "name": "shell",
        "version": "5.2.37",
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
