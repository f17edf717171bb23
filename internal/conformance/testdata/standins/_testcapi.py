"""Stands in for a C extension as _testinternalcapi does."""

from _testinternalcapi import __getattr__


class CodeLike:
    """What tests set up before they call what is not here."""

    def __init__(self, offsets):
        pass
