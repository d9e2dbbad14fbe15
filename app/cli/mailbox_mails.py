"""The mails of a mailbox as people name them, and what their headers say."""

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from app.cli.ending import warn
from app.cli.mail import MAX_MAIL
from app.cli.progress import ProgressBar
from app.domain.errors import MailAlertError
from app.domain.mailbox_session import MailboxEntry, MailboxSession
from app.domain.size import size_text
from app.mail.reading.message import Message
from app.mail.reading.reader import read_message


class MailUnavailable(MailAlertError):
    """No such mail, or it cannot be had."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is listed: its place in the mailbox, 1 for the oldest, and the name that people type for it."""

    entry: MailboxEntry
    place: int
    name: str


@dataclass(frozen=True, slots=True)
class MailHead:
    """A mail, and what its header says."""

    mail: Mail
    head: Message


async def mails_of(session: MailboxSession) -> list[Mail]:
    """Return all mails, the oldest first.

    The name is the place where no uid could be taken for one: those of POP3 are long. Elsewhere, as with IMAP, whose
    uids are numbers, it is the uid: a place changes its mail whenever an older one goes.
    """
    entries = await session.entries()
    by_place = not any(_is_number(entry.uid) for entry in entries)
    return [Mail(entry, place, str(place) if by_place else entry.uid) for place, entry in enumerate(entries, start=1)]


def named(mails: Sequence[Mail], names: Sequence[str], *, by_uid: bool = False) -> list[Mail]:
    """Return the mails that are meant, each once; `by_uid`: by nothing else. Raises MailUnavailable."""
    known = {} if by_uid else {mail.name: mail for mail in mails}
    known |= {mail.entry.uid: mail for mail in mails}
    for name in names:
        if name not in known:
            which = "uid" if by_uid else "number or uid"
            raise MailUnavailable(f"no mail has the {which} {name}; see mailalert mailbox list")
    return list(dict.fromkeys(known[name] for name in names))


async def heads_of(session: MailboxSession, mails: Sequence[Mail]) -> list[MailHead]:
    """Return what the headers say, in that order; a mail that has gone meanwhile is left out."""
    heads: list[MailHead] = []
    with ProgressBar(sys.stderr) as bar:
        for done, mail in enumerate(mails, start=1):
            data = await session.head(mail.entry.uid)
            if data:
                heads.append(MailHead(mail, read_message(data)))
            bar.show(done / len(mails), f"{done} of {len(mails)} headers")
    return heads


async def source_of(session: MailboxSession, mail: Mail) -> bytes:
    """Return the mail as it came. Raises MailUnavailable."""
    size = mail.entry.size_bytes
    with ProgressBar(sys.stderr) as bar:

        def show(size_bytes: int) -> None:
            bar.show(size_bytes / max(1, size), f"{size_text(size_bytes)} of {size_text(size)}")

        async for fetched in session.fetch([mail.entry.uid], max_bytes=MAX_MAIL, progress=show):
            if fetched.fault:
                raise MailUnavailable(f"mail {mail.name} cannot be read: {fetched.fault}")
            return fetched.data
    raise MailUnavailable(f"mail {mail.name} is not there any more")


async def messages_of(session: MailboxSession, mails: Sequence[Mail]) -> AsyncIterator[tuple[Mail, Message]]:
    """Yield the mails, read as a whole; one that cannot be had is named on stderr, and the others follow."""
    by_uid = {mail.entry.uid: mail for mail in mails}
    done = 0
    with ProgressBar(sys.stderr) as bar:
        async for fetched in session.fetch(list(by_uid), max_bytes=MAX_MAIL):
            mail = by_uid[fetched.uid]
            if fetched.fault:
                warn(f"mail {mail.name} cannot be read: {fetched.fault}")
            else:
                yield mail, read_message(fetched.data)
            done += 1
            bar.show(done / len(mails), f"{done} of {len(mails)} mails")


def _is_number(uid: str) -> bool:
    return uid.isascii() and uid.isdigit()
