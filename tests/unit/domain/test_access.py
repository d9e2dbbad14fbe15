"""Whom a token lets a sender name: what is in its list, and nobody that only looks like it."""

import pytest

from app.domain.access import AllowedRecipients
from app.domain.address import Mailbox

ALLOWED = AllowedRecipients.of(["Kevin@Example.org", "a%b@example.com", "@dev.example.org", "example.net"])


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("kevin@example.org", True),
        ("KEVIN@EXAMPLE.ORG", True),
        ("\u212aevin@example.org", False),
        ("kevi\u207f@example.org", False),
        ("anybody@dev.example.org", True),
        ("ANYBODY@Dev.Example.ORG", True),
        ("jürgen@dev.example.org", True),
        ("anybody@sub.dev.example.org", False),
        ("anybody@notdev.example.org", False),
        ("x%elsewhere.example@example.net", False),
        ("elsewhere.example!x@example.net", False),
        ('"x@elsewhere.example"@example.net', False),
        ("a%b@example.com", True),
        ("c%b@example.com", False),
    ],
)
def test_who_may_be_named(address: str, is_allowed: bool) -> None:
    """Case of ASCII does not matter; a Kelvin sign is no k, and a domain allows no way through it to elsewhere."""
    assert ALLOWED.include(Mailbox(address)) is is_allowed
