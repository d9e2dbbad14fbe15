"""What is known of the mails of a mailbox, from one listing to the next."""

from collections.abc import Container, Iterator, Sequence
from datetime import timedelta

import structlog

from app.domain.mail_read import SEEN, MailboxName, MailRead
from app.domain.mailbox_session import MailboxEntry
from app.domain.ports import Clock, MailboxStore

log = structlog.get_logger()

ASKED_AT_ONCE = 1000  # uids in one question to the journal: a millisecond or two
# A mail that is missing from a listing may come back: a person takes back a deletion, a server has lost its index.
# Until then it counts as read.
GONE_FOR = timedelta(days=90)
PRUNED_EVERY = timedelta(hours=1)


class KnownMails:
    """Keeps in memory which mails need no question to the journal any more."""

    def __init__(self, name: str, *, store: MailboxStore, clock: Clock, from_beginning: bool) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._from_beginning = from_beginning
        self._mailbox: MailboxName | None = None
        self._read: set[str] = set()
        self._gone: set[str] = set()
        self._pruned_at = 0.0

    async def take(self, epoch: str, entries: Sequence[MailboxEntry]) -> MailboxName:
        """Take what the server lists now; return under which name its mails are on record. Raises JournalUnavailable.

        What is there at the first poll, or in another epoch, counts as read from now on.
        """
        mailbox = MailboxName(self._name, epoch)
        listed = {entry.uid for entry in entries}
        if mailbox != self._mailbox:
            await self._enter(mailbox, entries)
            await self._note_back(mailbox, self._read & listed)  # that they came back while nobody looked
        await self._note_gone(mailbox, listed)
        await self._note_back(mailbox, self._gone & listed)
        await self._prune(mailbox)
        return mailbox

    def note_read(self, uids: Sequence[str]) -> None:
        """Note that these are on record."""
        self._read.update(uids)

    def unknown(self, uids: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield those of which only the journal can tell whether they were read, in portions for one question each."""
        return _portions([uid for uid in uids if uid not in self._read])

    async def _enter(self, mailbox: MailboxName, entries: Sequence[MailboxEntry]) -> None:
        """Begin with a mailbox, or with another epoch of it.

        Only the very first poll may be told to begin with what is there: after a change of the epoch all that was
        acted upon before would be so again.
        """
        if not await self._store.is_known(mailbox):
            begins = self._from_beginning and not await self._store.was_polled(mailbox.name)
            at = self._clock.now()
            seen = [] if begins else [MailRead(mailbox=mailbox, uid=e.uid, at=at, what=SEEN) for e in entries]
            await self._store.begin_poll(mailbox, seen)
            log.info("mailbox_first_poll", mailbox=mailbox.name, mails=len(entries), left_alone=len(seen))
        self._read = set(await self._store.recorded(mailbox))
        self._gone = set()
        self._mailbox = mailbox

    async def _note_gone(self, mailbox: MailboxName, listed: Container[str]) -> None:
        missing = [uid for uid in self._read - self._gone if uid not in listed]
        for uids in _portions(missing):
            await self._store.note_gone(mailbox, uids, self._clock.now())
            self._gone.update(uids)

    async def _note_back(self, mailbox: MailboxName, back: set[str]) -> None:
        for uids in _portions(sorted(back)):
            await self._store.note_back(mailbox, uids)
            self._gone.difference_update(uids)

    async def _prune(self, mailbox: MailboxName) -> None:
        now = self._clock.monotonic()
        if now - self._pruned_at < PRUNED_EVERY.total_seconds() or not self._gone:
            return
        await self._store.forget_gone(mailbox, self._clock.now() - GONE_FOR)
        self._pruned_at = now


def _portions(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uids), ASKED_AT_ONCE):
        yield uids[start : start + ASKED_AT_ONCE]
