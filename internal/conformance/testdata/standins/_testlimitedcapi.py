"""Stands in for a C extension as _testinternalcapi does."""

from _testinternalcapi import __getattr__
