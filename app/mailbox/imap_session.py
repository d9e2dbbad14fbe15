"""A mailbox that is open over IMAP, as the event loop sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from app.domain.mailbox_session import FetchedMail, MailboxEntry, Progress, Trouble
from app.mailbox.faults import GONE, too_large
from app.mailbox.imap_faults import LIBRARY_ERRORS, ImapFaults, is_refusal
from app.mailbox.imap_link import PIECE
from app.mailbox.imap_mailbox import NAMED_AT_ONCE, ImapMailbox
from app.mailbox.imap_thread import ImapThread
from app.mailbox.refusals import Refusals

T = TypeVar("T")

BATCH_BYTES = 1 << 20  # of several mails that are on their way at once
# RFC 2177 asks for less than 29 minutes; routers and load balancers forget a silent link after 4 or 5.
IDLE_AT_MOST = timedelta(minutes=3)
IDLE_AT_LEAST = timedelta(seconds=1)  # from one to the next: some servers chat at each
NOOP_EVERY = timedelta(seconds=30)  # where the server has no IDLE


class ImapSession:
    """Implements MailboxSession. A deletion counts once `delete` returns; a cancelled call leaves it usable."""

    def __init__(self, mailbox: ImapMailbox, thread: ImapThread, faults: ImapFaults) -> None:
        self._mailbox = mailbox
        self._thread = thread
        self._faults = faults
        self._time = asyncio.get_running_loop().time
        self._idles_from = 0.0
        self._ended = False

    @property
    def epoch(self) -> str:
        """UIDVALIDITY, the same as long as the session lasts."""
        return self._mailbox.epoch

    @property
    def can_wait(self) -> bool:
        """Whether the server has IDLE."""
        return self._mailbox.can_idle

    async def entries(self) -> Sequence[MailboxEntry]:
        """Return all mails. Raises MailboxFault, also when the folder has been made anew."""
        return await self._do(self._mailbox.entries)

    async def head(self, uid: str) -> bytes:
        """Return the header of a mail, b"" if it is gone."""
        return await self._do(partial(self._mailbox.head, uid))

    async def fetch(
        self, uids: Sequence[str], *, max_bytes: int, progress: Progress | None = None
    ) -> AsyncIterator[FetchedMail]:
        """Yield each of these mails in order; as many at once as BATCH_BYTES hold, a large one piece by piece."""
        refusals = Refusals(self._faults.server)
        for start in range(0, len(uids), NAMED_AT_ONCE):
            some = uids[start : start + NAMED_AT_ONCE]
            sizes = await self._do(partial(self._mailbox.sizes, some))
            for batch in batches(some, sizes):
                fit = [uid for uid in batch if uid in sizes and sizes[uid] <= max_bytes]
                pieces = await self._do(partial(self._mailbox.pieces, fit, 0)) if fit else {}
                for uid in batch:
                    mail = pieces.get(uid, FetchedMail(uid, fault=GONE))
                    if sizes.get(uid, 0) > max_bytes:
                        mail = FetchedMail(uid, fault=too_large(f"of {sizes[uid]} bytes", max_bytes))
                    whole = await self._whole(mail, max_bytes, progress or _ignore)
                    for ready in refusals.pass_on(whole):
                        yield ready
        for ready in refusals.rest():
            yield ready

    async def delete(self, uids: Sequence[str]) -> None:
        """Have these mails deleted."""
        await self._do(partial(self._mailbox.delete, uids))

    async def move(self, uids: Sequence[str], folder: str) -> None:
        """Have these mails moved, the folder made if it is not there."""
        await self._do(partial(self._mailbox.move, uids, folder), refused=Trouble.CONFIGURATION)

    async def wait(self, longest: timedelta) -> bool:
        """Return True as soon as there may be new mail, False after `longest`."""
        ends_at = self._time() + longest.total_seconds()
        while (remaining_s := ends_at - self._time()) > 0:
            if not self.can_wait:
                await asyncio.sleep(min(remaining_s, NOOP_EVERY.total_seconds()))
            else:
                await self._idle(remaining_s)
            if await self._do(self._mailbox.news):
                return True
        return False

    async def close(self) -> None:
        """Log out. Never raises: what was deleted is gone already."""
        if self._ended:
            return
        try:
            async with asyncio.timeout(self._mailbox.goodbye_s):  # also where a cancelled call still runs
                await self._thread.run(self._mailbox.log_out)
        except LIBRARY_ERRORS:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Cut the link now."""
        if not self._ended:
            self._ended = True
            self._thread.end(self._mailbox.link.shutdown)

    async def _idle(self, longest_s: float) -> None:
        """Return when the server says anything, or after `longest_s`; at once if it said something before."""
        begins_at = max(self._time(), self._idles_from)
        ends_at = self._time() + longest_s
        await asyncio.sleep(min(begins_at - self._time(), longest_s))
        self._idles_from = self._time() + IDLE_AT_LEAST.total_seconds()
        if not await self._do(self._mailbox.begin_idle):
            await self._thread.readable(min(ends_at - self._time(), IDLE_AT_MOST.total_seconds()))

    async def _whole(self, first: FetchedMail, max_bytes: int, progress: Progress) -> FetchedMail:
        """Return the mail that begins with this piece: sizes that a server announces may be wrong."""
        uid, parts, size, piece = first.uid, [first.data], len(first.data), first
        while not piece.fault:
            progress(size)
            if size > max_bytes:
                return FetchedMail(uid, fault=too_large("larger than the server says", max_bytes))
            if len(piece.data) < PIECE:
                return FetchedMail(uid, b"".join(parts))
            pieces = await self._do(partial(self._mailbox.pieces, [uid], size))
            piece = pieces.get(uid, FetchedMail(uid, fault=GONE))
            parts.append(piece.data)
            size += len(piece.data)
        return piece

    async def _do(self, call: Callable[[], T], *, refused: Trouble = Trouble.PROTOCOL) -> T:
        """Return what `call` returns in the thread. Raises MailboxFault, and ends the session if it cannot go on."""
        if self._ended:
            raise self._faults.fault("the session has ended", Trouble.UNREACHABLE)
        try:
            return await self._thread.run(call)
        except LIBRARY_ERRORS as error:
            if not is_refusal(error):
                self.abort()
            raise self._faults.of(error, otherwise=refused) from error


def batches(uids: Sequence[str], sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield the uids in order, as many at a time as BATCH_BYTES hold of the first pieces of their mails."""
    batch: list[str] = []
    total = 0
    for uid in uids:
        size = min(sizes.get(uid, 0), PIECE)
        if batch and total + size > BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(uid)
        total += size
    if batch:
        yield batch


def _ignore(_: int) -> None:
    """Tell nobody."""
