"""AUTH PLAIN and LOGIN, response by response."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.smtpd.passwords import ExchangeRefused, challenge_line, exchange_of


def password(argument: str, *responses: bytes) -> bytes:
    """Return the password of a whole exchange."""
    exchange = exchange_of(argument)
    try:
        next(exchange)
        for response in responses:
            exchange.send(response)
    except StopIteration as end:
        found: bytes = end.value
        return found
    raise AssertionError("it asks for more")


def encoded(text: bytes) -> bytes:
    return b64encode(text) + b"\r\n"


@given(user=st.binary(max_size=40), secret=st.binary(max_size=40))
def test_any_password_comes_through(user: bytes, secret: bytes) -> None:
    """Whatever octets a client sends as one, but for the NUL that PLAIN ends a user with."""
    user, secret = user.replace(b"\0", b""), secret.replace(b"\0", b"")
    fields = b"\0" + user + b"\0" + secret
    assert password("PLAIN", encoded(fields)) == secret
    assert password(f"PLAIN {b64encode(fields).decode()}") == secret
    assert password("LOGIN", encoded(user), encoded(secret)) == secret


@given(argument=st.text(max_size=60), responses=st.lists(st.binary(max_size=60), max_size=3))
def test_nothing_else_than_a_refusal_is_raised(argument: str, responses: list[bytes]) -> None:
    """Whatever a client says, it gets a password taken, a question or a reply."""
    outcome: object = None
    try:
        exchange = exchange_of(argument)
        outcome = next(exchange)
        for response in responses:
            outcome = exchange.send(response)
    except StopIteration as end:
        outcome = end.value
    except ExchangeRefused as refused:
        outcome = refused.reply.encode()
    assert isinstance(outcome, bytes)


@pytest.mark.parametrize("responses", [[b"*\r\n"], [encoded(b"user"), b"*\r\n"]], ids=["user", "password"])
def test_a_client_may_give_up(responses: list[bytes]) -> None:
    """RFC 4954 section 4: a lone asterisk cancels."""
    with pytest.raises(ExchangeRefused, match=r"501 5\.7\.0"):
        password("LOGIN", *responses)


def test_a_challenge_is_base64_behind_a_space() -> None:
    """The space stands also before nothing: some clients wait for it."""
    assert challenge_line(b"") == "334 "
    assert challenge_line(b"Password:") == "334 UGFzc3dvcmQ6"
