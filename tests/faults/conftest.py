"""Fixtures that every fault test may ask for."""

from tests.support.certificates import authority

__all__ = ["authority"]
