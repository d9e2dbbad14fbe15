"""The poller: keeps looking into the mailbox, over whatever connection there is to be had."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from app.domain.alarm import Alarm
from app.domain.errors import JournalUnavailable
from app.domain.mailbox_alarms import mailbox_alarm
from app.domain.mailbox_session import LASTING, MailboxFault, MailboxSession, Trouble
from app.domain.ports import Clock
from app.domain.vitals import MailboxVitals
from app.mailbox.handling import MailHandling
from app.mailbox.look import MailboxLook

log = structlog.get_logger()

# After a fault, one more after each; a mailbox that is out of reach for a day is looked at 300 times in it.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120, 300))
# Where somebody has to change something: a wrong password that is tried often locks the account.
LASTING_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15))
JOURNAL_PAUSE = timedelta(seconds=10)
EXPECTING = timedelta(seconds=10)  # while a probe is on its way; the round trip is measured no better than that
PATIENCE = timedelta(minutes=10)  # what passes by itself is told after this: servers restart, other programs hold POP3

Connect = Callable[[], Awaitable[MailboxSession]]


class Poller:
    """Runs until it is cancelled. With IMAP a session stays open and hears of new mail; with POP3 each look has one."""

    def __init__(
        self,
        name: str,
        *,
        connect: Connect,
        look: MailboxLook,
        handling: MailHandling,
        clock: Clock,
        every: timedelta,
        is_expecting: Callable[[], bool],
    ) -> None:
        """`is_expecting` tells that something is on its way, for which it looks more often."""
        self._name = name
        self._connect = connect
        self._look = look
        self._handling = handling
        self._clock = clock
        self._every = every
        self._is_expecting = is_expecting
        self._fault: MailboxFault | None = None
        self._faults = 0
        self._failing_since: float | None = None
        self._wake = asyncio.Event()
        self.looked_at: float | None = None  # monotonic seconds: when the last look that succeeded began

    async def run(self) -> None:
        """Look until it is cancelled."""
        try:
            while True:
                pause = await self._visit()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause.total_seconds())
        finally:
            self._handling.close()

    def hurry(self) -> None:
        """Say that something is on its way: the pause that was begun before that is too long, unless for a fault."""
        if self._fault is None:
            self._wake.set()

    def troubles(self) -> list[Alarm]:
        """Return the alarm about a mailbox that cannot be read, if it is time to tell."""
        fault, since = self._fault, self._failing_since
        if fault is None or since is None:
            return []
        lasted = self._clock.monotonic() - since
        if fault.trouble not in LASTING and lasted < PATIENCE.total_seconds():
            return []
        return [mailbox_alarm(self._name, str(fault))]

    def vitals(self) -> MailboxVitals:
        """Return how the mailbox stands."""
        now = self._clock.monotonic()
        return MailboxVitals(
            name=self._name,
            is_readable=self._fault is None,
            reason="" if self._fault is None else str(self._fault),
            failing_for=timedelta(seconds=0 if self._failing_since is None else now - self._failing_since),
            last_poll_age=None if self.looked_at is None else timedelta(seconds=now - self.looked_at),
            read=self._handling.read,
            set_aside=self._handling.set_aside,
        )

    async def _visit(self) -> timedelta:
        """Open a session and use it while it lasts; return how long to pause then."""
        try:
            session = await self._connect()
            try:
                await self._stay(session)
                await session.close()
            finally:
                session.abort()
        except MailboxFault as fault:
            return self._note_fault(fault)
        except JournalUnavailable as error:
            log.warning("mailbox_waits_for_journal", mailbox=self._name, error=str(error))
            return JOURNAL_PAUSE
        except Exception as error:  # the top of the poller: the next visit is worth its own try
            log.exception("mailbox_poll_failed", mailbox=self._name)
            return self._note_fault(MailboxFault(f"it fails here: {error}", Trouble.PROTOCOL))
        return self._pause()

    async def _stay(self, session: MailboxSession) -> None:
        """Look, and where the session hears of new mail, look again whenever there is any."""
        while True:
            began = self._clock.monotonic()
            await self._look.look(session)
            self._note_success(began)
            if not session.can_wait:
                return
            await session.wait(self._pause())

    def _pause(self) -> timedelta:
        return min(self._every, EXPECTING) if self._is_expecting() else self._every

    def _note_success(self, began: float) -> None:
        if self._fault is not None:
            log.info("mailbox_readable_again", mailbox=self._name)
        self.looked_at = began
        self._fault, self._failing_since, self._faults = None, None, 0

    def _note_fault(self, fault: MailboxFault) -> timedelta:
        log.warning("mailbox_unreadable", mailbox=self._name, trouble=fault.trouble, reason=str(fault))
        self._fault = fault
        if self._failing_since is None:
            self._failing_since = self._clock.monotonic()
        pauses = LASTING_PAUSES if fault.trouble in LASTING else PAUSES
        self._faults += 1
        return pauses[min(self._faults, len(pauses)) - 1]
