"""A session with a mailbox on a server, whatever protocol it speaks, and how it can fail."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from app.domain.errors import MailAlertError


@dataclass(frozen=True, slots=True)
class MailboxEntry:
    """One mail as the server lists it. `uid` names it for as long as the mailbox has the same epoch."""

    uid: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """One mail that was asked for: its octets, or why there are none."""

    uid: str
    data: bytes = field(default=b"", repr=False)
    fault: str = ""  # too large, gone meanwhile, or refused by the server, in a phrase


class Trouble(StrEnum):
    """What kind of fault it is, which decides when to try again and whom to tell."""

    UNREACHABLE = "unreachable"  # name, connect, time-out, TLS that did not start, lost in the middle
    IN_USE = "in use"  # RFC 2449 section 8.1.2: another session holds the mailbox
    BUSY = "busy"  # LOGIN-DELAY of RFC 2449, SYS/TEMP of RFC 3206, UNAVAILABLE of RFC 5530: later, by itself
    LOGIN = "login"  # the password or token is refused (RFC 3206: AUTH)
    CONFIGURATION = "configuration"  # certificate, no TLS off loopback, no such folder, no way to log in
    PROTOCOL = "protocol"  # the server broke its protocol, or lacks what is needed of it


# Somebody has to change something; waiting does not help, and trying often may lock the account.
LASTING = frozenset({Trouble.LOGIN, Trouble.CONFIGURATION})


class MailboxFault(MailAlertError):
    """The session could not be opened, or cannot go on. The message names the remedy and never holds a secret."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble = trouble


Progress = Callable[[int], None]  # told with each piece of a mail that comes: how many bytes it has


class MailboxSession(Protocol):
    """A mailbox that is open, used by one task. Every method raises MailboxFault once the session is lost."""

    @property
    def epoch(self) -> str:
        """What the uids hold for: another one means other mails (UIDVALIDITY of IMAP); "" for POP3, which has none."""

    @property
    def can_wait(self) -> bool:
        """Whether `wait` hears of new mail at once (IDLE, RFC 2177)."""

    async def entries(self) -> Sequence[MailboxEntry]:
        """Return all mails, in the server's order, the oldest first; asked anew each time where the protocol can."""

    async def head(self, uid: str) -> bytes:
        """Return the header of a mail, b"" if it is gone."""

    def fetch(
        self, uids: Sequence[str], *, max_bytes: int, progress: Progress | None = None
    ) -> AsyncIterator[FetchedMail]:
        """Yield each of these mails in order, several of them on their way at a time where the server can.

        One that is larger than `max_bytes`, or gone, or refused has a fault instead, and the others follow.
        """

    async def delete(self, uids: Sequence[str]) -> None:
        """Have these mails deleted; with POP3 they go only when `close` ends the session (RFC 1939 section 6)."""

    async def move(self, uids: Sequence[str], folder: str) -> None:
        """Have these mails moved, the folder made if it is not there. POP3 cannot: a fault CONFIGURATION."""

    async def wait(self, longest: timedelta) -> bool:
        """Return True as soon as there may be new mail, False after `longest`; the session stays usable."""

    async def close(self) -> None:
        """End it in order, so that deletions count. Raises MailboxFault when the server did not confirm them."""

    def abort(self) -> None:
        """Cut the link now; nothing that was deleted is sure to be."""
