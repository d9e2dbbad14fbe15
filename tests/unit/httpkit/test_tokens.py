"""What opens the door."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.httpkit.tokens import AccessToken, challenge

TOKEN = AccessToken("s3cret:ö")
SECRET = "s3cret:ö".encode()


@pytest.mark.parametrize(
    "authorization",
    [
        b"Bearer " + SECRET,
        b"bearer " + SECRET,
        b"Bearer  " + SECRET + b" ",
        b"Basic " + b64encode(b":" + SECRET),
        b"BASIC " + b64encode(b"any user:" + SECRET),
    ],
)
def test_the_token_opens(authorization: bytes) -> None:
    """The token is taken as Bearer, and as the password of any user, with colons and beyond ASCII."""
    assert TOKEN.opens(authorization)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        SECRET,
        b"Bearer s3cret",
        b"Bearer " + SECRET + b"x",
        b"Token " + SECRET,
        b"Basic " + SECRET,
        b"Basic " + b64encode(SECRET),
        b"Basic " + b64encode(SECRET + b":"),
        b"Basic " + b64encode(b"user:wrong"),
    ],
)
def test_nothing_else_opens(authorization: bytes | None) -> None:
    """No other value opens, however close it is."""
    assert not TOKEN.opens(authorization)


@given(st.binary(max_size=60))
def test_no_value_breaks_the_check(value: bytes) -> None:
    """Whatever bytes come, the answer is no."""
    assert not TOKEN.opens(value)
    assert not TOKEN.opens(b"Basic " + value)


def test_the_token_cannot_be_seen() -> None:
    """No representation of the object shows the token."""
    assert "s3cret" not in repr(TOKEN)


def test_a_browser_is_asked_for_a_password() -> None:
    """Who wants a page can enter the token; programs are told of Bearer."""
    assert challenge(b"text/html,application/xhtml+xml").startswith("Basic ")
    assert challenge(b"*/*").startswith("Bearer ")
    assert challenge(None).startswith("Bearer ")
