"""New mail, told as it comes: at once where the server can (IDLE, RFC 2177), else by looking again and again."""

import asyncio
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta

from app.cli.ending import warn
from app.cli.mailbox_access import Access, session_in
from app.cli.mailbox_mails import MailHead, heads_of, mails_of
from app.domain.mailbox_session import LASTING, MailboxFault, MailboxSession

Tell = Callable[[MailHead], None]


class Watch:
    """Looks into a mailbox until it is cancelled. What is there at the first look is not new."""

    def __init__(self, access: Access, *, every_s: float, tell: Tell) -> None:
        self._access = access
        self._every = timedelta(seconds=every_s)
        self._tell = tell
        self._epoch = ""
        self._known: Collection[str] | None = None

    async def run(self) -> None:
        """Look and tell. Raises MailboxFault if the first session fails, or a later one for a lasting reason."""
        while True:
            try:
                async with session_in(self._access) as session:
                    await self._stay(session)
            except MailboxFault as fault:
                if self._known is None or fault.trouble in LASTING:
                    raise
                warn(f"{fault}; it is tried again every {self._every.total_seconds():.0f} s")
            await asyncio.sleep(self._every.total_seconds())

    async def _stay(self, session: MailboxSession) -> None:
        """Look, and again for as long as the session hears of new mail."""
        while True:
            await self._look(session)
            if not session.can_wait:
                return
            await session.wait(self._every)

    async def _look(self, session: MailboxSession) -> None:
        mails = await mails_of(session)
        # Another epoch: the uids name other mails now, and which of them are new cannot be told.
        if self._known is not None and session.epoch == self._epoch:
            new = [mail for mail in mails if mail.entry.uid not in self._known]
            for head in await heads_of(session, new):
                self._tell(head)
        if self._known is None:
            warn(f"watching {self._access.server}; Ctrl-C ends it")
        self._epoch, self._known = session.epoch, {mail.entry.uid for mail in mails}


async def until_signal(watch: Watch) -> None:
    """Watch until SIGINT or SIGTERM, which end it in good order."""
    task = asyncio.ensure_future(watch.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
