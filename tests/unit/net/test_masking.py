"""What a server echoes shows no secret, in whatever way it writes it."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.net.masking import MASK, masked

SECRET = "canary/71+ü &~?>"


def percent_of_lower_case(text: str) -> str:
    """Encode as a form does, with the digits a to f."""
    return quote(text, safe="").lower()


WAYS: list[Callable[[str], str]] = [str, quote_plus, lambda text: quote(text, safe=""), percent_of_lower_case]


@pytest.mark.parametrize("way", WAYS, ids=["plain", "form", "percent", "lower case"])
def test_every_spelling_is_hidden(way: Callable[[str], str]) -> None:
    """As it was given, and as it travelled in the form."""
    assert masked(f"you sent {way(SECRET)}, {way(SECRET)}.", [SECRET]) == f"you sent {MASK}, {MASK}."


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@given(before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_base64_is_hidden_wherever_the_secret_begins_in_it(
    encode: Callable[[bytes], bytes], before: bytes, after: bytes
) -> None:
    """A server may show the whole request so; at most the bits beside the secret's own digits stay."""
    told = masked(encode(before + SECRET.encode() + after).decode(), [SECRET])
    assert MASK in told
    assert len(told) <= len(MASK) + (len(before + after) + 2) * 8 / 6 + 4


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    """No rest of it stays because the shorter one is its beginning."""
    assert masked("secret-2 and secret", ["secret", "secret-2"]) == f"{MASK} and {MASK}"


@given(st.text(), st.lists(st.sampled_from(["", "a", "*", "[", "\\", "."]), max_size=4))
def test_any_secret_is_taken_as_it_is(text: str, secrets: list[str]) -> None:
    """None of its characters means anything, and where there is no secret nothing is hidden."""
    told = masked(text, secrets)
    assert all(secret not in told for secret in secrets if secret and secret not in MASK)
    assert told == text or any(secrets)
