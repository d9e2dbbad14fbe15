"""The watch: looks at the daemon's own state every few seconds, and tells the alarm desk what is wrong."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.clock import JumpWatch
from app.domain.alarm import Alarm
from app.domain.alarm_causes import (
    clock_alarm,
    delay_alarm,
    journal_alarm,
    no_relay_alarm,
    quarantine_alarm,
    relay_alarm,
    waiting_long_alarm,
)
from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.ports import Clock
from app.domain.vitals import RelayVitals

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=2)  # memory and one or two look-ups in an index
CRITICAL_WAIT = timedelta(minutes=15)
LONG_WAIT = timedelta(days=1)
OLDEST = 20  # mails looked at for one that is no alarm itself


class WatchedJournal(Protocol):
    """What the watch asks of the journal. Empty strings mean that all is well."""

    @property
    def fault(self) -> str: ...
    @property
    def quarantine(self) -> str: ...
    @property
    def open_count(self) -> int: ...

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return the running seconds at which the oldest open mail of this severity or more was made.

        Without those of alerts that somebody sees to at the time given.
        """

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime
    ) -> list[QueuedMail]: ...


class Desk(Protocol):
    """Where the watch says what it sees, and where it is decided what people are told. It returns at once."""

    def raise_alarm(self, alarm: Alarm) -> None:
        """Take an alarm about what has happened."""

    def keep_raised(self, troubles: Sequence[Alarm]) -> None:
        """Take all that is wrong just now, at each look; what is missing has ended."""


class Watch:
    """Says at each look all that is wrong.

    Waiting counts only the time in which the daemon ran, which no clock's jump can stretch.
    """

    def __init__(
        self,
        *,
        journal: WatchedJournal,
        clock: Clock,
        running_seconds: Callable[[], int],
        relays: Callable[[], Sequence[RelayVitals]],
        patience: timedelta,
        known_at: datetime | None,
        desk: Desk,
        others: Callable[[], Sequence[Alarm]] = tuple,
    ) -> None:
        """`patience` is how long a relay may be out of order before that is told; wrong settings are told at once.

        `clock` is the wall clock, and `known_at` the latest time that the journal knows. `others` are the troubles
        that other parts see just now.
        """
        self._journal = journal
        self._clock = clock
        self._running_seconds = running_seconds
        self._relays = relays
        self._patience = patience
        self._desk = desk
        self._others = others
        self._jumps = JumpWatch(clock, known_at=known_at)
        self._unusable_since: dict[str, float] = {}
        self._delays: list[Alarm] = []

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            try:
                await self.look()
            except JournalUnavailable as error:
                log.warning("watch_failed", error=str(error))
            except Exception:  # the top of the loop: the next look tries again
                log.exception("watch_failed")
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Tell the desk all that is wrong. Raises JournalUnavailable when the journal does not say what waits."""
        jump = self._jumps.look()
        if jump is not None:
            self._desk.raise_alarm(clock_alarm(jump))
        # With the delays of the last look: the alarm about a journal must not wait for a read of it.
        self._desk.keep_raised([*self._journal_troubles(), *self._relay_troubles(), *self._others(), *self._delays])
        self._delays = await self._find_delays()

    def _journal_troubles(self) -> Iterator[Alarm]:
        if self._journal.fault:
            yield journal_alarm(self._journal.fault)
        if self._journal.quarantine:
            yield quarantine_alarm(self._journal.quarantine)

    def _relay_troubles(self) -> Iterator[Alarm]:
        relays = self._relays()
        now = self._clock.monotonic()
        broken = [relay for relay in relays if not relay.usable]
        self._unusable_since = {relay.name: self._unusable_since.get(relay.name, now) for relay in broken}
        telling = [relay for relay in broken if self._is_lasting(relay, now)]
        if relays and len(telling) == len(relays):
            yield no_relay_alarm(relays, waiting=self._journal.open_count)
            return
        for relay in telling:
            yield relay_alarm(relay, others_work=len(broken) < len(relays))

    def _is_lasting(self, relay: RelayVitals, now: float) -> bool:
        return relay.is_configuration or now - self._unusable_since[relay.name] >= self._patience.total_seconds()

    async def _find_delays(self) -> list[Alarm]:
        running, waiting = self._running_seconds(), self._journal.open_count
        if not waiting:
            return []
        alarms = []
        now = self._clock.now()  # what somebody sees to raises no alarm of delay
        made = await self._journal.oldest_waiting(Severity.CRITICAL, unacknowledged_at=now)
        if made is not None and running - made >= CRITICAL_WAIT.total_seconds():
            alarms.append(delay_alarm(timedelta(seconds=running - made), waiting=waiting))
        made = await self._journal.oldest_waiting(Severity.INFO, unacknowledged_at=now)
        if made is not None and running - made >= LONG_WAIT.total_seconds():
            alarms.extend(await self._waiting_long(running, waiting, now))
        return alarms

    async def _waiting_long(self, running: int, waiting: int, now: datetime) -> list[Alarm]:
        made_before = running - int(LONG_WAIT.total_seconds())
        mails = await self._journal.overdue(made_before=made_before, after=0, limit=OLDEST, unacknowledged_at=now)
        for mail in mails:
            if not mail.letterhead.is_alarm:  # an alarm about an alarm would be a loop
                waited = timedelta(seconds=running - mail.envelope.running_seconds)
                return [waiting_long_alarm(mail, waited, waiting=waiting)]
        return []
