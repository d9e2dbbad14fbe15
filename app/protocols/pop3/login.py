"""The ways to log in to a POP3 server: USER and PASS, APOP, and SASL; which one is taken, and what it says."""

import hashlib
import re
from collections.abc import Iterable
from typing import Protocol

from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.protocols.pop3 import commands
from app.protocols.pop3.commands import MAX_COMMAND, Command
from app.protocols.pop3.reply import Pop3Reply, Status
from app.protocols.sasl import LoginExchange, choose_mechanism

USER = "USER"
APOP = "APOP"
DIGEST = "CRAM-MD5"

# RFC 1939 section 7: the time stamp is a msg-id. Nothing looser will do: with other bytes in it an impostor can
# find the password out, letter by letter (CVE-2007-1558).
_TIMESTAMP = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")


class LoginAttempt(Protocol):
    """One try to log in, the only one of a session: each further one would count as another wrong password."""

    @property
    def name(self) -> str:
        """What the way is called."""

    @property
    def complaint(self) -> str:
        """Why the server refuses, as far as the way lets it say so."""

    def first(self) -> Command:
        """Return the first command. Raises ConfigurationError for a login that cannot be said."""

    def next(self, reply: Pop3Reply) -> Command | None:
        """Return what to say to a `reply` that is no -ERR, None once logged in. Raises ProtocolError."""


def find_timestamp(greeting: str) -> str:
    """Return the time stamp of a greeting, "" for a server without APOP."""
    match = _TIMESTAMP.search(greeting)
    return match[0] if match else ""


def choose_attempt(
    login: Login, *, sasl: Iterable[str], user: bool, timestamp: str, encrypted: bool
) -> LoginAttempt | None:
    """Return the way to take, None if the server offers none for this login. `user`: USER and PASS may be tried."""
    offered = tuple(sasl)
    if login.kind is SecretKind.ACCESS_TOKEN:
        return _by_sasl(login, offered, encrypted=encrypted)
    clear = tuple(name for name in offered if name != DIGEST)
    ways = {
        DIGEST: _by_sasl(login, (DIGEST,) if DIGEST in offered else (), encrypted=encrypted),
        "SASL": _by_sasl(login, clear, encrypted=encrypted),
        USER: UserPass(login) if user else None,
        APOP: Apop(login, timestamp) if timestamp else None,
    }
    return next((attempt for name in _order(encrypted=encrypted) if (attempt := ways[name])), None)


def _order(*, encrypted: bool) -> tuple[str, ...]:
    if encrypted:
        # The server has proved who it is. A digest makes it keep the password readable, and cannot succeed where it
        # does not: it is for want of anything better.
        return ("SASL", USER, DIGEST, APOP)
    # Only on loopback, where any local user may hold the port while the server is down: a digest does not hand
    # over the password. That of APOP is the weaker one, plain MD5 (RFC 6151), and the one that old servers have.
    return (DIGEST, APOP, "SASL", USER)


def _by_sasl(login: Login, offered: tuple[str, ...], *, encrypted: bool) -> LoginAttempt | None:
    mechanism = choose_mechanism(login, offered, encrypted=encrypted)
    return Sasl(LoginExchange(mechanism, login, max_command=MAX_COMMAND)) if mechanism else None


class UserPass:
    """RFC 1939 section 7, USER and PASS."""

    name = USER
    complaint = ""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._named = False

    def first(self) -> Command:
        """Name the user."""
        commands.password(self._login.secret)  # a password that cannot be said is found before anything is
        return commands.user(self._login.username)

    def next(self, reply: Pop3Reply) -> Command | None:
        """Give the password."""
        _expect_ok(reply)
        if self._named:
            return None
        self._named = True
        return commands.password(self._login.secret)


class Apop:
    """RFC 1939 section 7, APOP: a digest of the time stamp in the greeting and the password."""

    name = APOP
    complaint = ""

    def __init__(self, login: Login, timestamp: str) -> None:
        self._login = login
        self._timestamp = timestamp

    def first(self) -> Command:
        """Say user and digest."""
        said = f"{self._timestamp}{self._login.secret}".encode()
        digest = hashlib.md5(said, usedforsecurity=False).hexdigest()  # the protocol's own choice
        return commands.apop(self._login.username, digest)

    def next(self, reply: Pop3Reply) -> None:
        """There is no more to say."""
        _expect_ok(reply)


class Sasl:
    """RFC 5034: AUTH with one of the mechanisms."""

    def __init__(self, exchange: LoginExchange) -> None:
        self.name = exchange.mechanism.name
        self._exchange = exchange

    @property
    def complaint(self) -> str:
        """Why a token is refused."""
        return self._exchange.complaint

    def first(self) -> Command:
        """Say AUTH, with the first response if it fits."""
        return commands.login_line(self._exchange.first())

    def next(self, reply: Pop3Reply) -> Command | None:
        """Answer a challenge."""
        if reply.is_ok:
            return None
        return commands.login_line(self._exchange.answer(reply.text))


def _expect_ok(reply: Pop3Reply) -> None:
    if reply.status is Status.MORE:
        raise ProtocolError("the server answered a login out of place")
