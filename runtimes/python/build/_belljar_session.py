"""What cells of a session do beyond running: showing values, reporting errors, completing names.

session.c calls the functions without an underscore, and adds `emit`.
"""

import builtins
import sys

# As enum part in session.c.
_RESULT, _DISPLAY, _ERROR, _COMPLETION, _CHECK = range(5)

# The representations that notebooks know, in the order in which they are shown.
_METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
    ("_repr_pdf_", "application/pdf"),
)

# Types that have only a repr.
_PLAIN = frozenset((bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type))

_runner = None


def _encode(data):
    """Return data as the part's bytes or text."""
    if isinstance(data, (str, bytes, bytearray)):
        return data
    import json

    return json.dumps(data)


def _bundle(value):
    """Return the strings of a part: MIME type, data, ..."""
    kind = type(value)
    if kind in _PLAIN:
        return ["text/plain", repr(value)]
    data, wanted = {}, None
    # Objects that answer every name, such as mocks, have none of these methods on their type.
    if hasattr(kind, "_repr_mimebundle_"):
        wanted = value._repr_mimebundle_(include=None, exclude=None)
        if isinstance(wanted, tuple):
            wanted = wanted[0]
    if wanted:
        data.update(wanted)
    for method, mime in _METHODS:
        if mime not in data and hasattr(kind, method):
            found = getattr(value, method)()
            if isinstance(found, tuple):  # data and metadata
                found = found[0]
            if found is not None:
                data[mime] = found
    if "text/plain" not in data:
        data["text/plain"] = repr(value)
    strings = []
    for mime, content in data.items():
        if content is not None:
            strings += (mime, _encode(content))
    return strings


def show(value):
    """Show the value of a cell's last expression."""
    builtins._ = None
    emit(_RESULT, *_bundle(value))
    builtins._ = value


def display(*values, raw=False):
    """Show values as a notebook does: by their _repr_*_ methods. With raw, they are dicts of MIME type to data."""
    sys.stdout.flush()
    for value in values:
        if raw:
            strings = []
            for mime, content in value.items():
                strings += (mime, _encode(content))
        else:
            strings = _bundle(value)
        emit(_DISPLAY, *strings)


def leave(code=None):
    """End the cell. The session goes on."""
    raise SystemExit(code)


def await_(coroutine):
    """Run a cell that awaits, on an event loop that lives as long as the session.

    An interrupt is raised wherever the loop is, and not handed to the task as asyncio.Runner.run does: nothing would
    wake a loop that is about to wait.
    """
    global _runner
    import asyncio

    if _runner is None:
        _runner = asyncio.Runner()
    loop = _runner.get_loop()
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        if not task.done():
            task.cancel()
            try:
                loop.run_until_complete(task)
            except asyncio.CancelledError:
                pass
        raise


def _trim(error):
    """Take this module's frames, and those of what it runs cells by, off the error's traceback and its causes'."""
    waiting, seen = [error], set()
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        waiting += (error.__cause__, error.__context__)
        first = error.__traceback__
        if first is None or first.tb_frame.f_globals is not globals():
            continue
        while first is not None and not first.tb_frame.f_code.co_filename.startswith("<cell "):
            first = first.tb_next
        error.__traceback__ = first


def _exit_status(error):
    if isinstance(error, SystemExit):
        code = error.code
        return code if isinstance(code, int) else 0 if code is None else 1
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def report(error):
    """Report what ended a cell, and return the exit status that it would give a program."""
    import traceback

    _trim(error)
    sys.last_exc = sys.last_value = error
    sys.last_type = type(error)
    sys.last_traceback = error.__traceback__
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    try:
        value = str(error)
    except Exception:
        value = "<exception str() failed>"
    lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
    emit(_ERROR, name, value, *lines)
    return _exit_status(error)


def complete(source, cursor):
    """Tell which names could stand at the cursor, an index into the source's UTF-8."""
    import re
    import rlcompleter

    before = source.encode()[:cursor].decode(errors="ignore")
    text = re.search(r"[\w.]*$", before)[0]
    matches = []
    if text:
        completer = rlcompleter.Completer(sys.modules["__main__"].__dict__)
        while (match := completer.complete(text, len(matches))) is not None:
            matches.append(match)
    emit(_COMPLETION, str(cursor - len(text.encode())), *matches)


def check(source, _):
    """Tell whether a source is complete, and how far the line after it is indented if it isn't."""
    import codeop
    import re
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiler = codeop.CommandCompiler()
            compiler.compiler.flags |= 0x2000  # PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compiler(source, "<input>", "exec")
    except (SyntaxError, OverflowError, ValueError):
        return emit(_CHECK, "invalid", "")
    last = source.rstrip("\n").rpartition("\n")[2]
    indent = re.match(r"[ \t]*", last)[0]
    # A block goes on until an empty line ends it.
    inside = last.strip() and (indent or last.rstrip().endswith(":"))
    if code is not None and not (inside and not source.endswith("\n\n")):
        return emit(_CHECK, "complete", "")
    if last.rstrip().endswith(":"):
        indent += "    "
    emit(_CHECK, "incomplete", indent)


def copied():
    """Make a copy of a session differ from what it is a copy of."""
    from _belljar import _wake

    _wake()


def begin():
    """Make a woken interpreter a session's."""
    builtins.display = display
    builtins.exit = builtins.quit = leave
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True)
