"""Fixtures that every integration test may ask for."""

from tests.support.certificates import authority

__all__ = ["authority"]
