"""The poller: keeps looking into the mailbox, over whatever connection there is to be had."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from app.domain.alarm import Alarm
from app.domain.errors import JournalUnavailable
from app.domain.mailbox_alarms import mailbox_alarm, removal_alarm
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
JOURNAL_PAUSE = timedelta(seconds=30)
REMOVING_PAUSE = timedelta(hours=1)  # after a removal that was refused: an account may read, and not delete
NO_HURRY = timedelta(hours=1)  # after a server that wants to be asked less often
GAP = timedelta(minutes=3)  # between two looks; a server that restarts, or ends an idle session, makes none
SPACING = timedelta(seconds=2)  # between two looks: a server may say without end that there is news
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
        is_closed: Callable[[], bool],
    ) -> None:
        """`is_expecting` tells that something is on its way, for which it looks more often.

        `is_closed` says that nothing is taken any more, because the daemon shuts down.
        """
        self._name = name
        self._connect = connect
        self._look = look
        self._handling = handling
        self._clock = clock
        self._every = every
        self._is_expecting = is_expecting
        self._is_closed = is_closed
        self._fault: MailboxFault | None = None
        self._faults = 0
        self._failing_since: float | None = None
        self._wake = asyncio.Event()
        self._first_look = asyncio.Event()
        self._removal_fault: MailboxFault | None = None
        # In monotonic seconds.
        self._looked_at: float | None = None  # when the last look that succeeded began
        self._readable_since = 0.0  # when the first of those did, behind which there was no gap
        self._removes_from = 0.0
        self._hurries_from = 0.0

    @property
    def readable_for(self) -> timedelta | None:
        """For how long looks had succeeded, without a gap to speak of, when the last one began; None in such a gap."""
        now = self._clock.monotonic()
        if self._looked_at is None or now - self._looked_at > self._gap_s:
            return None
        return timedelta(seconds=self._looked_at - self._readable_since)

    @property
    def _gap_s(self) -> float:
        return max(GAP, 3 * self._every).total_seconds()

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

    async def first_look(self) -> None:
        """Return once a look has succeeded: from then on what comes is new."""
        await self._first_look.wait()

    def hurry(self) -> None:
        """Say that something is on its way: the pause that was begun before that is too long, unless for a fault."""
        if self._fault is None:
            self._wake.set()

    def troubles(self) -> list[Alarm]:
        """Return the alarms about a mailbox that cannot be read, or from which nothing can be removed."""
        alarms = []
        fault, since = self._fault, self._failing_since
        if fault is not None and since is not None:
            lasted = self._clock.monotonic() - since
            if fault.trouble in LASTING or lasted >= PATIENCE.total_seconds():
                alarms.append(mailbox_alarm(self._name, str(fault)))
        if self._removal_fault is not None:
            alarms.append(removal_alarm(self._name, str(self._removal_fault)))
        return alarms

    def vitals(self) -> MailboxVitals:
        """Return how the mailbox stands."""
        now = self._clock.monotonic()
        return MailboxVitals(
            name=self._name,
            is_readable=self._fault is None,
            is_configuration=self._fault is not None and self._fault.trouble in LASTING,
            reason="" if self._fault is None else str(self._fault),
            failing_for=timedelta(seconds=0 if self._failing_since is None else now - self._failing_since),
            last_poll_age=None if self._looked_at is None else timedelta(seconds=now - self._looked_at),
            read=self._handling.read,
            set_aside=self._handling.set_aside,
        )

    async def _visit(self) -> timedelta:
        """Open a session and use it while it lasts; return how long to pause then."""
        if self._is_closed():
            return JOURNAL_PAUSE
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
        while not self._is_closed():
            began = self._clock.monotonic()
            await self._look.read(session)
            self._note_success(began)
            await self._remove(session)
            if not session.can_wait:
                return
            await session.wait(self._pause())
            await asyncio.sleep(max(0.0, SPACING.total_seconds() - (self._clock.monotonic() - began)))

    async def _remove(self, session: MailboxSession) -> None:
        """Remove what is to go. A server that does not let us is asked seldom, and still read."""
        if self._clock.monotonic() < self._removes_from:
            return
        try:
            await self._look.remove(session)
            self._removal_fault = None
        except MailboxFault as fault:
            if fault.trouble is Trouble.UNREACHABLE:
                raise
            log.warning("mails_not_removed", mailbox=self._name, reason=str(fault))
            self._removal_fault = fault
            self._removes_from = self._clock.monotonic() + REMOVING_PAUSE.total_seconds()

    def _pause(self) -> timedelta:
        may_hurry = self._is_expecting() and self._clock.monotonic() >= self._hurries_from
        return min(self._every, EXPECTING) if may_hurry else self._every

    def _note_success(self, began: float) -> None:
        if self._fault is not None:
            log.info("mailbox_readable_again", mailbox=self._name)
        if self.readable_for is None:
            self._readable_since = began
        self._looked_at = began
        self._first_look.set()
        self._fault, self._failing_since, self._faults = None, None, 0

    def _note_fault(self, fault: MailboxFault) -> timedelta:
        log.warning("mailbox_unreadable", mailbox=self._name, trouble=fault.trouble, reason=str(fault))
        now = self._clock.monotonic()
        self._fault = fault
        if self._failing_since is None:
            self._failing_since = now
        self._faults += 1
        pauses = LASTING_PAUSES if fault.trouble in LASTING else PAUSES
        pause = pauses[min(self._faults, len(pauses)) - 1]
        if fault.trouble is Trouble.BUSY:
            self._hurries_from = now + NO_HURRY.total_seconds()
            return max(pause, self._every)
        return pause
