"""archive.py TREE ZIP: store the files and links of TREE, sorted, in an uncompressed archive.

The host serves file contents straight out of the archive, so nothing in it is
compressed; names are relative to the sandbox's root.
"""

import os
import sys
import time
import zipfile


def entries(tree):
    for folder, folders, files in os.walk(tree):
        if not folders and not files:
            yield os.path.relpath(folder, tree) + "/", None
        for name in files:
            path = os.path.join(folder, name)
            yield os.path.relpath(path, tree), path


def content(path):
    if os.path.islink(path):
        return 0o120777, os.readlink(path).encode()
    with open(path, "rb") as file:
        return 0o100755 if os.access(path, os.X_OK) else 0o100644, file.read()


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
            mode, data = content(path)
            info.external_attr = mode << 16
            archive.writestr(info, data)


main(*sys.argv[1:])
