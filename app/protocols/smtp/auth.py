"""Logging in: which mechanism, and the lines that it says."""

from base64 import b64encode
from collections.abc import Iterable, Sequence

# In order of choice: PLAIN is a standard (RFC 4616) and needs one round trip, LOGIN is neither.
MECHANISMS = ("PLAIN", "LOGIN")
MAX_COMMAND = 512  # RFC 5321 section 4.5.3.1.4, CRLF included
MASK = "***"


def choose_mechanism(offered: Sequence[str]) -> str | None:
    """Return the one mechanism to try, or None if the server offers none that we speak."""
    return next((mechanism for mechanism in MECHANISMS if mechanism in offered), None)


def login_lines(mechanism: str, username: str, password: str) -> tuple[str, ...]:
    """Return the lines to say: the first at once, each further one after a 334."""
    if mechanism == "LOGIN":
        return ("AUTH LOGIN", _base64(username), _base64(password))
    response = _base64(f"\0{username}\0{password}")  # RFC 4616 section 2, no authorisation identity
    command = f"AUTH PLAIN {response}"
    # RFC 4954 section 4: an initial response that makes the command too long waits for its 334.
    return (command,) if len(command) + 2 <= MAX_COMMAND else ("AUTH PLAIN", response)


def masked(line: str) -> str:
    """Return a `line` of the login as it may be shown: the command stays, every secret goes."""
    if not line.startswith("AUTH "):
        return MASK
    mechanism, _, response = line.removeprefix("AUTH ").partition(" ")
    return f"AUTH {mechanism} {MASK}" if response else line


def secret_forms(username: str, password: str) -> tuple[str, ...]:
    """Return the password as a server may repeat it: clear, or encoded as it came."""
    return (password, _base64(password), _base64(f"\0{username}\0{password}")) if password else ()


def without_secrets(text: str, forms: Iterable[str]) -> str:
    """Return what a server said with the password gone, in each of its forms."""
    for form in forms:
        text = text.replace(form, MASK)
    return text


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
