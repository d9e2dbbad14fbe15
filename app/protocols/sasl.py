"""Logging in to a relay or a mailbox by SASL: which mechanism, what it says, and how its secrets stay hidden."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.domain.text import one_line, shorten

MAX_COMPLAINT = 100  # characters; a status is one word
MASK = "***"

Answer = Callable[[Login, bytes], bytes]  # from the login and the server's challenge to the response


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A way to log in: its first response, where it begins with one, and the answers to what the server asks."""

    name: str
    initial: Callable[[Login], bytes] | None = None
    answers: tuple[Answer, ...] = ()
    hears_complaint: bool = False  # the last challenge says why the login fails


def choose_mechanism(login: Login, offered: Sequence[str], *, encrypted: bool) -> Mechanism | None:
    """Return the one mechanism to try, None if the server offers none for this login.

    Only one is tried: each further one would count as another wrong password, and lock the account.
    """
    return next((mechanism for mechanism in _choices(login, encrypted=encrypted) if mechanism.name in offered), None)


class LoginExchange:
    """One attempt to log in: challenges in, responses out, as lines without their end (RFC 4954 section 4).

    POP3 does the same (RFC 5034 section 4). `max_command` is how long a command may be there, CRLF included.
    """

    def __init__(self, mechanism: Mechanism, login: Login, *, max_command: int) -> None:
        self.mechanism = mechanism
        self.login = login
        self.complaint = ""  # why the server refuses, as far as the mechanism lets it say so
        self._max_command = max_command
        self._unanswered = list(mechanism.answers)

    def first(self) -> str:
        """Return the command, with the first response if it fits."""
        command = f"AUTH {self.mechanism.name}"
        initial = self.mechanism.initial
        if initial is None:
            return command
        response = initial(self.login)
        whole = f"{command} {_base64(response)}"
        if len(whole) + 2 <= self._max_command:
            return whole
        # RFC 4954 and 5034, section 4 each: a response that makes the command too long waits for an empty challenge.
        self._unanswered.insert(0, lambda _login, _challenge: response)
        return command

    def answer(self, challenge: str) -> str:
        """Return the response to the text of a challenge. Raises ProtocolError for one more than the mechanism has."""
        if not self._unanswered:
            raise ProtocolError(f"the server asks for more than {self.mechanism.name} has")
        answer = self._unanswered.pop(0)
        heard = _decoded(challenge)
        if self.mechanism.hears_complaint and not self._unanswered:
            self.complaint = self._readable(_status(heard))
        return _base64(answer(self.login, heard))

    def _readable(self, status: str) -> str:
        # Hidden before it is cut, which could leave half a secret.
        return shorten(one_line(without_secrets(status, secret_forms(self.login))), MAX_COMPLAINT)


def masked(line: str) -> str:
    """Return a `line` of the login as it may be shown: the command stays, every secret goes."""
    if not line.startswith("AUTH "):
        return MASK
    mechanism, _, response = line.removeprefix("AUTH ").partition(" ")
    return f"AUTH {mechanism} {MASK}" if response else line


def secret_forms(login: Login | None) -> tuple[str, ...]:
    """Return the secret as a server may repeat it: clear, or encoded as it came or may be shown; the longest first."""
    if login is None or not login.secret:
        return ()
    secret = login.secret
    said = [_base64(mechanism.initial(login)) for mechanism in _MECHANISMS if mechanism.initial]
    basic = f"{login.username}:{secret}".encode()
    shown = {
        secret,
        _base64(secret.encode()),
        _base64(basic),
        quote(secret, safe=""),
        secret.replace("\\", "\\\\").replace('"', '\\"'),  # RFC 9051 section 4.3: a quoted string
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],  # as Python shows octets
        secret.encode().decode("ascii", "replace"),
        secret.encode("latin-1", "replace").decode("utf-8", "backslashreplace"),
    }
    # A form within another one would leave the rest of it to be read.
    return tuple(sorted({*shown, *said}, key=len, reverse=True))


def without_secrets(text: str, forms: Iterable[str]) -> str:
    """Return what a server said with the secret gone, in each of its forms and in either case."""
    pattern = "|".join(map(re.escape, forms))
    return re.sub(pattern, MASK, text, flags=re.IGNORECASE) if pattern else text


def _plain(login: Login) -> bytes:
    return f"\0{login.username}\0{login.secret}".encode()  # RFC 4616 section 2, no authorisation identity


def _username(login: Login, _: bytes) -> bytes:
    return login.username.encode()


def _password(login: Login, _: bytes) -> bytes:
    return login.secret.encode()


def _cram_md5(login: Login, challenge: bytes) -> bytes:
    # RFC 2195 section 2: MD5 is part of the mechanism; as a keyed digest it still hides the password.
    digest = hmac.new(login.secret.encode(), challenge, "md5").hexdigest()
    return f"{login.username} {digest}".encode()


def _xoauth2(login: Login) -> bytes:
    # Google's "SASL XOAUTH2 mechanism", which Microsoft 365 has taken over.
    return f"user={login.username}\x01auth=Bearer {login.secret}\x01\x01".encode()


def _oauthbearer(login: Login) -> bytes:
    # RFC 7628 section 3.1: host and port are for tokens that sign, a bearer token does without them.
    name = login.username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4: saslname
    return f"n,a={name},\x01auth=Bearer {login.secret}\x01\x01".encode()


def _nothing(_login: Login, _challenge: bytes) -> bytes:
    return b""


def _one_separator(_login: Login, _challenge: bytes) -> bytes:
    return b"\x01"  # RFC 7628 section 3.2.3: the dummy response to an error


def _status(complaint: bytes) -> str:
    """Return the `status` of the JSON that explains a failure (RFC 7628 section 3.2.2), "" if there is none."""
    try:
        fields = json.loads(complaint)
    except (ValueError, RecursionError):  # RecursionError: brackets nested without end
        return ""
    status = fields.get("status") if isinstance(fields, dict) else None
    return status if isinstance(status, str) else ""


def _decoded(challenge: str) -> bytes:
    try:
        return b64decode(challenge, validate=True)
    except ValueError:
        # Only CRAM-MD5 needs the challenge, and some servers prompt for LOGIN in clear text.
        return challenge.encode()


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


_PLAIN = Mechanism("PLAIN", initial=_plain)
_LOGIN = Mechanism("LOGIN", answers=(_username, _password))
_CRAM_MD5 = Mechanism("CRAM-MD5", answers=(_cram_md5,))
_XOAUTH2 = Mechanism("XOAUTH2", initial=_xoauth2, answers=(_nothing,), hears_complaint=True)
_OAUTHBEARER = Mechanism("OAUTHBEARER", initial=_oauthbearer, answers=(_one_separator,), hears_complaint=True)
_MECHANISMS = (_PLAIN, _LOGIN, _CRAM_MD5, _OAUTHBEARER, _XOAUTH2)


def _choices(login: Login, *, encrypted: bool) -> tuple[Mechanism, ...]:
    """Return what may be tried, in order of choice."""
    if login.kind is SecretKind.ACCESS_TOKEN:
        return (_OAUTHBEARER, _XOAUTH2)  # the standard (RFC 7628) before its forerunner
    if encrypted:
        # The server has proved who it is: PLAIN is a standard (RFC 4616), takes one round trip and works with
        # every password store; CRAM-MD5 is often announced where passwords are stored hashed and cannot succeed.
        return (_PLAIN, _LOGIN, _CRAM_MD5)
    # Only on loopback, where any local user may hold the port while the server is down: CRAM-MD5 does not hand
    # over the password.
    return (_CRAM_MD5, _PLAIN, _LOGIN)
