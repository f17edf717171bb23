"""What the sandbox's Python does around a program.

An interpreter is started once, kept as a memory image and copied for each
program. `at_wake` is for modules that keep something which no two copies may
share: a random state, a unique name, a cached identity.
"""

import sys

__all__ = ["at_wake"]

_hooks = []

# What these modules make at its first use, and is no copy's but the maker's.
_UNSHARED = (
    ("tempfile", "_name_sequence"),
    ("tempfile", "tempdir"),
    ("uuid", "_node"),
    ("uuid", "_last_timestamp"),
)


def at_wake(hook):
    """Call hook() whenever a copy of this interpreter's memory comes alive."""
    _hooks.append(hook)
    return hook


def _wake():
    """Make this copy's state its own. Called before the program's first line.

    OpenSSL's generator is not among it: it is seeded at its first use, and an
    image is taken before that. What is as it should be isn't written, as every
    page that is written is one more that copies don't share.
    """
    modules = sys.modules
    if (random := modules.get("random")) is not None:
        random._inst._unseed()
        if random._inst.gauss_next is not None:
            random._inst.gauss_next = None
    for name, attr in _UNSHARED:
        if (module := modules.get(name)) is not None and getattr(module, attr) is not None:
            setattr(module, attr, None)
    if (numpy := modules.get("numpy.random")) is not None:
        numpy.seed()
    if b"TZ" in modules["posix"].environ:
        modules["time"].tzset()
    if (logging := modules.get("logging")) is not None:
        logging._startTime = modules["time"].time_ns()
    for hook in _hooks:
        hook()


def _user_site():
    """Put what the user has installed on the path, as site does at an interpreter's start.

    Called where that may be something, or the home is not the one of this memory.
    """
    site = sys.modules["site"]
    home = sys.modules["posix"].environ.get(b"HOME")
    if not home:
        return
    if site.USER_BASE != home.decode(errors="surrogateescape") + "/.local":
        site.USER_BASE = site.USER_SITE = None
    directory = site.getusersitepackages()
    if not sys.modules["os"].path.isdir(directory):
        return
    path = sys.path
    count = len(path)
    site.addsitedir(directory)
    added = path[count:]
    del path[count:]
    at = next((i for i, name in enumerate(path) if name.endswith("/site-packages")), len(path))
    path[at:at] = added


def _stream(fd, name, encoding, errors, buffered):
    """Return a new standard stream for fd, as create_stdio in pylifecycle.c builds it."""
    import io

    writes = fd > 0
    buffer = io.open(fd, "wb" if writes else "rb", -1 if buffered or not writes else 0, closefd=False)
    raw = buffer.raw if buffered or not writes else buffer
    raw.name = f"<{name}>"
    stream = io.TextIOWrapper(
        buffer,
        encoding,
        errors,
        newline="\n",
        line_buffering=bool(buffered and (raw.isatty() or fd == 2)),
        write_through=not buffered,
    )
    stream.mode = "w" if writes else "r"
    return stream


_REHEARSAL = '''
import json, sys
from collections import Counter
class Point:
    __slots__ = ("x", "y")
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def __repr__(self):
        return f"Point({self.x!r}, {self.y:>4.2f})"
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def numbers(limit):
    for n in range(limit):
        yield n
with open("/dev/null", "w") if False else sys.stdout as out:
    print(1 + 1, fib(10), [n * n for n in numbers(5)], {"a": 1.5}, Point(1, 2), file=out)
    print("%s %d {}".format(3) % ("a", 1), *sorted([3, 1, 2], key=lambda n: -n), sep=", ", file=out)
    print(Counter("mississippi").most_common(2), json.loads(json.dumps({"k": [1, None, True]})), file=out)
async def nothing(): pass
try:
    match [1, 2]:
        case [first, *_] if first: raise ValueError(first)
except ValueError as error:
    assert str(error) == "1"
'''


def _rehearse():
    """Run what programs run, so that whatever is built at its first use is in the image."""
    import io
    import linecache
    import traceback

    class Discard(io.StringIO):
        def close(self):
            pass

    out, err = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = Discard()
    try:
        for _ in range(3):
            exec(compile(_REHEARSAL, "<string>", "exec"), {"__name__": "__main__"})
        try:
            exec(compile("def f():\n    return 1 / 0\nf()\n", "<string>", "exec"), {"__name__": "__main__"})
        except ZeroDivisionError as error:
            traceback.print_exception(error)
            sys.__excepthook__(type(error), error, error.__traceback__)
    finally:
        sys.stdout, sys.stderr = out, err
    linecache.clearcache()
