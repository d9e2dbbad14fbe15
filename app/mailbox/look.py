"""One look into an open mailbox: what is new is read, each mail once, and what was done with goes."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog

from app.domain.errors import JournalUnavailable
from app.domain.mail_read import AfterReading, MailboxName, UnreadMail
from app.domain.mailbox_session import FetchedMail, MailboxFault, MailboxSession
from app.domain.ports import Clock, MailboxStore
from app.mailbox.handling import MAX_ATTEMPTS, Handled, MailHandling
from app.mailbox.listing import KnownMails
from app.mailbox.losses import Losses
from app.mailbox.rules import PollRules

log = structlog.get_logger()

READ_AT_ONCE = 20  # mails that are fetched together, and share a commit that notes their attempt
READ_BYTES = 1 << 20  # of those together; a larger mail comes alone
NOT_GIVEN_OUT = "the server does not give it out, again and again"


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
        self._known = KnownMails(name, store=store, clock=clock, from_beginning=rules.from_beginning)
        self._losses = Losses(clock)
        self._mailbox: MailboxName | None = None
        self._sizes: Mapping[str, int] = {}

    async def read(self, session: MailboxSession) -> None:
        """Read what is new. Raises MailboxFault or JournalUnavailable; the next look goes on where this one ended."""
        entries = await session.entries()
        self._sizes = {entry.uid: entry.size_bytes for entry in entries}
        self._losses.keep_only(self._sizes)
        self._mailbox = mailbox = await self._known.take(session.epoch, entries)
        held_up: list[UnreadMail] = []
        for uids in self._known.unknown(list(self._sizes)):
            unread = await self._store.unread(mailbox, uids)
            self._known.note_read(list(set(uids) - {mail.uid for mail in unread}))
            await self._read_all(session, mailbox, [mail for mail in unread if not self._losses.includes(mail.uid)])
            held_up += [mail for mail in unread if self._losses.includes(mail.uid)]
        # Last, for the session may not outlive them.
        await self._read_all(session, mailbox, [mail for mail in held_up if not self._losses.rests(mail.uid)])

    async def remove(self, session: MailboxSession) -> None:
        """Have the server rid of what was done with, as far as it was there at the last look. Raises like `read`."""
        if self._mailbox is None:
            return
        present = [mail for mail in await self._store.to_remove(self._mailbox) if mail.uid in self._sizes]
        deleted = [mail.uid for mail in present if mail.then is AfterReading.DELETE]
        moved = [mail.uid for mail in present if mail.then is AfterReading.MOVE]
        if deleted:
            await session.delete(deleted)
        # Where nothing is moved any more, what was to be moved once stays.
        if moved and self._rules.after is AfterReading.MOVE:
            await session.move(moved, self._rules.move_to)

    async def _read_all(self, session: MailboxSession, mailbox: MailboxName, unread: Sequence[UnreadMail]) -> None:
        for batch in _batches(unread, self._sizes, alone=self._is_read_alone):
            first = batch[0]
            if reason := self._why_not(first, self._sizes[first.uid]):
                await self._handling.leave(mailbox, first.uid, reason)
                self._known.note_read([first.uid])
            else:
                await self._read(session, mailbox, batch)

    def _is_read_alone(self, mail: UnreadMail) -> bool:
        """Tell whether something may be wrong with it, which others should not pay for."""
        is_too_large = self._sizes[mail.uid] > self._rules.max_bytes
        return mail.attempts > 0 or is_too_large or self._losses.includes(mail.uid)

    def _why_not(self, mail: UnreadMail, size_bytes: int) -> str:
        """Return why the mail is not read at all, "" if it is. A mail with such a reason is alone in its batch."""
        if size_bytes > self._rules.max_bytes:
            return f"it is too large: {size_bytes} bytes, and mailbox.message_limit is {self._rules.max_bytes}"
        if mail.attempts >= MAX_ATTEMPTS:
            return f"reading it has ended the daemon: {mail.attempts} times"
        return ""

    async def _read(self, session: MailboxSession, mailbox: MailboxName, batch: Sequence[UnreadMail]) -> None:
        attempts = {mail.uid: mail.attempts + 1 for mail in batch}
        fetched = await self._fetch(session, mailbox, [mail.uid for mail in batch])
        unfinished = [mail.uid for mail in fetched]
        await self._store.begin_reading(mailbox, unfinished)
        try:
            for mail in fetched:
                handled = await self._handling.take(mailbox, mail.uid, mail.data, attempts=attempts[mail.uid])
                if handled is Handled.TOO_EARLY:
                    continue
                unfinished.remove(mail.uid)
                if handled is Handled.RECORDED:
                    self._known.note_read([mail.uid])
        finally:
            # Whatever ends this here, be it a journal that is full or a stop: it is no fault of these mails.
            if unfinished:
                with contextlib.suppress(JournalUnavailable):
                    await asyncio.shield(self._store.end_attempt(mailbox, unfinished))

    async def _fetch(self, session: MailboxSession, mailbox: MailboxName, uids: Sequence[str]) -> list[FetchedMail]:
        """Return those that came. A mail at which the connection breaks, or that is refused, is counted."""
        fetched: list[FetchedMail] = []
        waiting = list(uids)
        try:
            async for mail in session.fetch(uids, max_bytes=self._rules.max_bytes):
                waiting.remove(mail.uid)
                if mail.fault:
                    self._note_loss(mailbox, mail.uid, mail.fault)
                else:
                    fetched.append(mail)
        except MailboxFault as fault:
            if waiting:
                self._note_loss(mailbox, waiting[0], str(fault))
            raise
        return fetched

    def _note_loss(self, mailbox: MailboxName, uid: str, reason: str) -> None:
        log.warning("mail_not_fetched", mailbox=self._name, uid=uid, reason=reason)
        if self._losses.note(uid):
            self._handling.tell(mailbox, uid, f"{NOT_GIVEN_OUT}: {reason}")


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
