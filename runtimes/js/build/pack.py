#!/usr/bin/env python3
"""Pack the library's sources into one file: lines of "name length", an empty line, then the texts.

    pack.py OUT NAME=FILE|FOLDER/=PREFIX ...
"""

import pathlib
import sys

# Of Node's own library, what needs parts of Node that aren't here.
LEFT_OUT = ("internal/debugger", "internal/v8_prof", "internal/deps/v8")


def main(out, *sources):
    entries = {}
    for source in sources:
        name, _, path = source.partition("=")
        path = pathlib.Path(path)
        if path.is_dir():
            for file in sorted(path.rglob("*.js")):
                entries[name + str(file.relative_to(path).with_suffix(""))] = file.read_bytes()
        else:
            entries[name] = path.read_bytes()
    entries = {n: b for n, b in sorted(entries.items()) if not n.startswith(LEFT_OUT)}
    head = "".join(f"{n} {len(b)}\n" for n, b in entries.items())
    pathlib.Path(out).write_bytes(head.encode() + b"\n" + b"".join(entries.values()) + b"\0")


main(*sys.argv[1:])
