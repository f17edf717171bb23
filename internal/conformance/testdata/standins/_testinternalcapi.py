"""Stands in for a C extension that exists for CPython's own tests and that the image doesn't have.

Test modules that can't be loaded without it get it. Their tests that call what
is not here are skipped.
"""

import unittest


def get_config():
    return {"code_debug_ranges": True}


def get_immortalize_deferred():
    return False


def __getattr__(name):
    # Tests look for some names to find out how the interpreter was built.
    if name.startswith("__") or name.isupper() or name in ("get_optimizer", "uop_symbols_test"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def skip(*args, **kwargs):
        raise unittest.SkipTest(f"needs {__name__}.{name}")

    return skip
