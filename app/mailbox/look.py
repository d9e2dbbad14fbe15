"""One look into an open mailbox: what is new is read, each mail once, and what was done with goes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from app.domain.mail_kind import MailKind
from app.domain.mail_read import SEEN, AfterReading, MailboxName, MailRead, UnreadMail
from app.domain.mailbox_session import FetchedMail, MailboxEntry, MailboxFault, MailboxSession
from app.domain.ports import Clock, MailboxStore
from app.mailbox.handling import MAX_ATTEMPTS, MailHandling
from app.mailbox.rules import PollRules

log = structlog.get_logger()

ASKED_AT_ONCE = 2000  # uids in one question to the journal: a millisecond or two
READ_AT_ONCE = 20  # mails that are fetched together, and share a commit that notes their attempt
READ_BYTES = 1 << 20  # of those together; a larger mail comes alone
MAX_LOSSES = 5  # of the connection at the same mail, before that one is left alone

# The system's own mails, and reports that it has acted upon: nobody else reads them.
ALWAYS_DELETED = frozenset({MailKind.PROBE, MailKind.BOUNCE})


class MailboxLook:
    """Looks again and again; knows from one time to the next what is recorded.

    An attempt at a mail is on record before it is read, and what it changes together with its having been read.
    So a crash between the two reads it again, and one behind both does not.
    """

    def __init__(
        self, name: str, *, store: MailboxStore, handling: MailHandling, rules: PollRules, clock: Clock
    ) -> None:
        self._name = name
        self._store = store
        self._handling = handling
        self._rules = rules
        self._clock = clock
        self._mailbox: MailboxName | None = None
        self._known: set[str] = set()
        self._losses: Counter[str] = Counter()

    async def look(self, session: MailboxSession) -> None:
        """Read what is new. Raises MailboxFault or JournalUnavailable; the next look goes on where this one ended."""
        mailbox = MailboxName(self._name, session.epoch)
        entries = await session.entries()
        if mailbox != self._mailbox:
            await self._enter(mailbox, entries)
        sizes = {entry.uid: entry.size_bytes for entry in entries}
        await self._forget_gone(mailbox, sizes)
        for uids in _portions([uid for uid in sizes if uid not in self._known]):
            unread = await self._store.unread(mailbox, uids)
            self._known.update(set(uids) - {mail.uid for mail in unread})
            await self._read_all(session, mailbox, unread, sizes)
        await self._remove(session, mailbox, sizes)

    async def _enter(self, mailbox: MailboxName, entries: Sequence[MailboxEntry]) -> None:
        """Begin with a mailbox, or with another epoch of it: what is there then is left alone.

        Only the very first poll may be told to begin with what is there: after a change of the epoch all that was
        acted upon before would be so again.
        """
        if not await self._store.is_known(mailbox):
            begins = self._rules.from_beginning and not await self._store.was_polled(mailbox.name)
            at = self._clock.now()
            seen = [] if begins else [MailRead(mailbox=mailbox, uid=e.uid, at=at, what=SEEN) for e in entries]
            await self._store.begin_poll(mailbox, seen)
            log.info("mailbox_first_poll", mailbox=mailbox.name, mails=len(entries), left_alone=len(seen))
        self._known = set(await self._store.recorded(mailbox))
        self._mailbox = mailbox

    async def _forget_gone(self, mailbox: MailboxName, sizes: Mapping[str, int]) -> None:
        for uids in _portions([uid for uid in self._known if uid not in sizes]):
            await self._store.forget_gone(mailbox, uids)
            self._known.difference_update(uids)
        self._losses = Counter({uid: count for uid, count in self._losses.items() if uid in sizes})

    async def _read_all(
        self, session: MailboxSession, mailbox: MailboxName, unread: Sequence[UnreadMail], sizes: Mapping[str, int]
    ) -> None:
        for batch in _batches(unread, sizes, alone=lambda mail: mail.attempts > 0 or mail.uid in self._losses):
            first = batch[0]
            if reason := self._why_not(first, sizes[first.uid]):
                await self._handling.leave(mailbox, first.uid, reason)
                self._known.add(first.uid)
            else:
                await self._read(session, mailbox, batch)

    def _why_not(self, mail: UnreadMail, size_bytes: int) -> str:
        """Return why the mail is not read at all, "" if it is. A mail with such a reason is alone in its batch."""
        if size_bytes > self._rules.max_bytes:
            return f"it is too large: {size_bytes} bytes, and mailbox.message_limit is {self._rules.max_bytes}"
        if mail.attempts >= MAX_ATTEMPTS:
            return f"reading it has ended the daemon: {mail.attempts} times"
        if self._losses[mail.uid] >= MAX_LOSSES:
            return f"the server does not give it out: it was asked {MAX_LOSSES} times"
        return ""

    async def _read(self, session: MailboxSession, mailbox: MailboxName, batch: Sequence[UnreadMail]) -> None:
        attempts = {mail.uid: mail.attempts + 1 for mail in batch}
        fetched = await self._fetch(session, [mail.uid for mail in batch])
        await self._store.begin_reading(mailbox, [mail.uid for mail in fetched])
        for mail in fetched:
            if await self._handling.take(mailbox, mail.uid, mail.data, attempts=attempts[mail.uid]):
                self._known.add(mail.uid)

    async def _fetch(self, session: MailboxSession, uids: Sequence[str]) -> list[FetchedMail]:
        """Return those that came. A mail at which the connection breaks, or that is refused, is counted."""
        fetched: list[FetchedMail] = []
        waiting = list(uids)
        try:
            async for mail in session.fetch(uids, max_bytes=self._rules.max_bytes):
                waiting.remove(mail.uid)
                if mail.fault:
                    self._losses[mail.uid] += 1
                    log.warning("mail_not_fetched", mailbox=self._name, uid=mail.uid, reason=mail.fault)
                else:
                    fetched.append(mail)
        except MailboxFault:
            if waiting:
                self._losses[waiting[0]] += 1
            raise
        return fetched

    async def _remove(self, session: MailboxSession, mailbox: MailboxName, sizes: Mapping[str, int]) -> None:
        """Have the server rid of what was done with. It is forgotten when a later look does not find it any more."""
        present = [mail for mail in await self._store.to_remove(mailbox) if mail.uid in sizes]
        moves = self._rules.after is AfterReading.MOVE
        deleted = [mail.uid for mail in present if not moves or mail.what in ALWAYS_DELETED]
        moved = [mail.uid for mail in present if mail.uid not in set(deleted)]
        if deleted:
            await session.delete(deleted)
        if moved:
            await session.move(moved, self._rules.move_to)


def _portions(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uids), ASKED_AT_ONCE):
        yield uids[start : start + ASKED_AT_ONCE]


def _batches(
    unread: Sequence[UnreadMail], sizes: Mapping[str, int], *, alone: Callable[[UnreadMail], bool]
) -> Iterator[list[UnreadMail]]:
    """Yield the mails in order, the small ones together unless they are to be read `alone`."""
    batch: list[UnreadMail] = []
    size_bytes = 0
    for mail in unread:
        is_alone = alone(mail) or sizes[mail.uid] > READ_BYTES
        if batch and (is_alone or len(batch) == READ_AT_ONCE or size_bytes + sizes[mail.uid] > READ_BYTES):
            yield batch
            batch, size_bytes = [], 0
        if is_alone:
            yield [mail]
        else:
            batch.append(mail)
            size_bytes += sizes[mail.uid]
    if batch:
        yield batch
