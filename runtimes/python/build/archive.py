"""archive.py TREE ZIP: store the files of TREE, sorted, in an uncompressed archive.

The host serves file contents straight out of the archive, so nothing in it is
compressed; names are relative to the sandbox's root.
"""

import os
import sys
import time
import zipfile


def entries(tree):
    for folder, folders, files in os.walk(tree):
        folders.sort()
        if not folders and not files:
            yield os.path.relpath(folder, tree) + "/", None
        for name in sorted(files):
            path = os.path.join(folder, name)
            yield os.path.relpath(path, tree), path


def main(tree, out):
    date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(entries(tree)):
            info = zipfile.ZipInfo(name, date)
            info.create_system = 3  # Unix: external_attr holds the mode
            if path is None:
                info.external_attr = 0o40755 << 16 | 0x10
                archive.writestr(info, b"")
                continue
            info.external_attr = 0o100644 << 16
            with open(path, "rb") as file:
                archive.writestr(info, file.read())


main(*sys.argv[1:])
