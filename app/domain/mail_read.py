"""The record of the mails of a mailbox: each is read once, whatever happens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SEEN = "seen"  # was there at the first poll, and is left alone
SET_ASIDE = "set aside"  # cannot be read, and is not tried again


class AfterReading(StrEnum):
    """What becomes of a mail on the server once it has been acted upon. The values are those of the settings."""

    KEEP = "keep"
    DELETE = "delete"
    MOVE = "move"  # into another folder, with IMAP


@dataclass(frozen=True, slots=True)
class MailboxName:
    """A mailbox, and the epoch in which its uids hold (see MailboxSession)."""

    name: str
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class UnreadMail:
    """A mail that has not been read yet. `attempts` began, and ended with the daemon or a fault."""

    uid: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class RemovableMail:
    """A mail of which the server is to be rid, and how: DELETE or MOVE (see MailRead)."""

    uid: str
    then: AfterReading


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRead:
    """That a mail was read, and what it was: a MailKind, SEEN or SET_ASIDE, with a `note` for people.

    `then` is what becomes of it on the server; DELETE and MOVE are tried until it is gone.
    """

    mailbox: MailboxName
    uid: str
    at: datetime
    what: str
    note: str = ""
    then: AfterReading = AfterReading.KEEP
