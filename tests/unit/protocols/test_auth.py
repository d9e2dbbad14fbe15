"""Logins say what the mechanism asks, and never show a secret."""

from base64 import b64decode, b64encode

import pytest

from app.protocols.smtp.auth import choose_mechanism, login_lines, masked, secret_forms, without_secrets


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(("LOGIN", "PLAIN"), "PLAIN"), (("CRAM-MD5", "LOGIN"), "LOGIN"), (("CRAM-MD5",), None), ((), None)],
    ids=["plain-first", "login", "unknown", "none"],
)
def test_choice(offered: tuple[str, ...], chosen: str | None) -> None:
    """PLAIN is taken where it is offered, LOGIN next, nothing else."""
    assert choose_mechanism(offered) == chosen


def test_plain_in_one_line() -> None:
    """PLAIN sends user and password with the command."""
    [line] = login_lines("PLAIN", "tim", "tanstaaf")
    assert b64decode(line.removeprefix("AUTH PLAIN ")) == b"\0tim\0tanstaaf"


def test_long_plain_in_two_lines() -> None:
    """A response that makes the command too long waits for its 334 (RFC 4954 section 4)."""
    command, response = login_lines("PLAIN", "tim", "x" * 500)
    assert command == "AUTH PLAIN"
    assert b64decode(response) == b"\0tim\0" + b"x" * 500


def test_login_in_three_lines() -> None:
    """LOGIN sends user and password each after a prompt."""
    assert login_lines("LOGIN", "tim", "pass") == ("AUTH LOGIN", "dGlt", "cGFzcw==")


@pytest.mark.parametrize(
    ("line", "shown"),
    [("AUTH PLAIN c2VjcmV0", "AUTH PLAIN ***"), ("AUTH LOGIN", "AUTH LOGIN"), ("c2VjcmV0", "***")],
    ids=["plain", "login", "response"],
)
def test_masked(line: str, shown: str) -> None:
    """What a person sees of a login has no secret in it."""
    assert masked(line) == shown


@pytest.mark.parametrize("echo", ["secret", b64encode(b"secret").decode(), b64encode(b"\0tim\0secret").decode()])
def test_echoed_secret_is_hidden(echo: str) -> None:
    """A server that repeats the password does not bring it into a log."""
    assert without_secrets(f"535 {echo} is wrong", secret_forms("tim", "secret")) == "535 *** is wrong"


def test_no_password_hides_nothing() -> None:
    """Without a login the text of a server stays as it is."""
    assert without_secrets("535 no", secret_forms("", "")) == "535 no"
