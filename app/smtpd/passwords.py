"""The two ways in which clients send a password: AUTH PLAIN and AUTH LOGIN, without any I/O."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Generator

Exchange = Generator[bytes, bytes, bytes]  # yields challenges, is sent responses, and returns the password
MECHANISMS = "PLAIN LOGIN"


class ExchangeRefused(Exception):
    """The exchange came to no password; `reply` is what the client is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


def exchange_of(argument: str) -> Exchange:
    """Return the exchange that the argument of AUTH begins. Raises ExchangeRefused."""
    mechanism, _, initial = argument.strip().partition(" ")
    match mechanism.upper():  # RFC 4422 section 3.1: upper case; some clients write it otherwise
        case "PLAIN":
            return _plain(initial.strip())
        case "LOGIN":
            return _login(initial.strip())
        case _:
            raise ExchangeRefused("504 5.5.4 Unrecognized authentication type")


def challenge_line(challenge: bytes) -> str:
    """Return the reply that asks for a response (RFC 4954 section 4); the space stands also before nothing."""
    return f"334 {b64encode(challenge).decode()}"


def _plain(initial: str) -> Exchange:
    """RFC 4616 section 2: whom to act as, user and password, with NUL between them."""
    response = initial.encode(errors="replace") if initial else (yield b"")
    fields = _decoded(response).split(b"\0")
    if len(fields) != 3:
        raise ExchangeRefused("501 5.5.2 PLAIN wants a user and a password")
    return fields[2]


def _login(initial: str) -> Exchange:
    """The draft that never became a standard, and that every client knows; the user is not looked at."""
    user = initial.encode(errors="replace") if initial else (yield b"Username:")
    _decoded(user)
    return _decoded((yield b"Password:"))


def _decoded(response: bytes) -> bytes:
    response = response.strip()
    if response == b"*":  # RFC 4954 section 4
        raise ExchangeRefused("501 5.7.0 Authentication cancelled")
    try:
        return b"" if response == b"=" else b64decode(response, validate=True)
    except Base64Error:
        raise ExchangeRefused("501 5.5.2 This is no base64") from None
