"""What the tests of the links share."""

from tests.support.certificates import authority

__all__ = ["authority"]
