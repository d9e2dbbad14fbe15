"""Fixtures that every end-to-end test may ask for."""

from tests.support.certificates import authority

__all__ = ["authority"]
