"""The part of the journal that the mailbox fills: which mails were read, bounces, and addresses set aside."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from app.domain.bounce import BounceEffect, BounceReport, SetAsideAddress
from app.domain.mail_read import MailboxName, MailRead, RemovableMail, UnreadMail
from app.storage import bounces, mailbox_record, set_aside
from app.storage.queue_reads import LetterheadCache
from app.storage.reader import Reader
from app.storage.writer import GroupWriter

T = TypeVar("T")


class MailboxJournal:
    """What the mailbox asks of the journal, over its reader and its writer.

    Long lists are read and written in steps, so that nobody else's read or commit waits for them.
    """

    def __init__(self, reader: Reader, writer: GroupWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._letterheads = LetterheadCache()  # of the writer's thread

    async def is_known(self, mailbox: MailboxName) -> bool:
        """Tell whether this mailbox was polled before, in this epoch."""
        return await self._reader.run(partial(mailbox_record.is_known, mailbox=mailbox))

    async def was_polled(self, name: str) -> bool:
        """Tell whether the mailbox of this name was polled before, in whatever epoch."""
        return await self._reader.run(partial(mailbox_record.was_polled, name=name))

    async def unread(self, mailbox: MailboxName, uids: Sequence[str]) -> list[UnreadMail]:
        """Return which of these have no record yet, in the order given."""
        found: list[UnreadMail] = []
        for step in _steps(uids):
            found += await self._reader.run(partial(mailbox_record.read_unread, mailbox=mailbox, uids=step))
        return found

    async def begin_poll(self, mailbox: MailboxName, seen: Sequence[MailRead]) -> None:
        """Note the first poll of the mailbox in this epoch, and what was there; other epochs are forgotten.

        After a crash in the middle the epoch is not known, and its first poll is still to come.
        """
        number = await self._writer.run_errand(partial(mailbox_record.add_mailbox, mailbox=mailbox))
        for step in _steps(seen):
            await self._writer.run_errand(partial(mailbox_record.add_seen, mailbox_id=number, seen=step))
        await self._writer.run_errand(partial(mailbox_record.make_known, name=mailbox.name, mailbox_id=number))
        while await self._writer.run_errand(partial(mailbox_record.drop_forgotten, name=mailbox.name)):
            pass  # what a crash leaves of them is found by the next first poll

    async def begin_reading(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Count an attempt for each, before they are read."""
        await self._writer.run_errand(partial(mailbox_record.begin_reading, mailbox=mailbox, uids=uids))

    async def end_attempt(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Take one attempt at each back: it came to nothing through no fault of the mail."""
        await self._writer.run_errand(partial(mailbox_record.end_attempt, mailbox=mailbox, uids=uids))

    async def note_read(self, reads: Sequence[MailRead]) -> None:
        """Record that these were read."""
        rows = [mailbox_record.read_row(read) for read in reads]
        await self._writer.run_errand(partial(mailbox_record.note_reads, rows=rows))

    async def to_remove(self, mailbox: MailboxName) -> list[RemovableMail]:
        """Return what was read and is to go from the server, and may still be there; 1,000 at most."""
        return await self._reader.run(partial(mailbox_record.read_to_remove, mailbox=mailbox))

    async def note_gone(self, mailbox: MailboxName, uids: Sequence[str], at: datetime) -> None:
        """Note that the server lists these no longer; those that are noted already keep their time."""
        for step in _steps(uids):
            await self._writer.run_errand(partial(mailbox_record.note_gone, mailbox=mailbox, uids=step, at=at))

    async def note_back(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Note that the server lists these again."""
        for step in _steps(uids):
            await self._writer.run_errand(partial(mailbox_record.note_back, mailbox=mailbox, uids=step))

    async def forget_gone(self, mailbox: MailboxName, before: datetime) -> None:
        """Forget those that were noted as gone before this time, up to 1,000 of them."""
        await self._writer.run_errand(partial(mailbox_record.forget_gone, mailbox=mailbox, before=before))

    async def recorded(self, mailbox: MailboxName) -> list[str]:
        """Return the uids of all mails that were read, in their order."""
        found: list[str] = []
        while True:
            after = found[-1] if found else ""
            step = await self._reader.run(partial(mailbox_record.read_recorded, mailbox=mailbox, after=after))
            found += step
            if len(step) < mailbox_record.LIST_STEP:
                return found

    async def take_bounce(
        self, report: BounceReport, read: MailRead, *, set_aside_after: int, is_final: bool
    ) -> BounceEffect | None:
        """Record what the report changes and that it was read, in one transaction; None if the mail is not known."""
        return await self._writer.run_errand(
            partial(
                bounces.take_bounce,
                report=report,
                read=read,
                set_aside_after=set_aside_after,
                is_final=is_final,
                letterheads=self._letterheads,
            )
        )

    async def set_aside(self) -> list[SetAsideAddress]:
        """Return the recipients whose mails bounced too often, in the order of their addresses."""
        return await self._reader.run(set_aside.read_set_aside)

    async def release(self, address: str) -> bool:
        """Let the address have mail again, and count its bounces anew; False if it was not set aside."""
        return await self._writer.run_errand(partial(set_aside.release, address=address))


def _steps(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), mailbox_record.STEP):
        yield items[start : start + mailbox_record.STEP]
