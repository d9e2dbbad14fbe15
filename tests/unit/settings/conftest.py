"""What tests of the settings may ask for: certificates, for relays with an authority of their own."""

from tests.support.certificates import authority

__all__ = ["authority"]
