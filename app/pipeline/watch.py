"""The watch: looks at the daemon's own state every few seconds, and raises an alarm where something is wrong."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.clock import JumpWatch
from app.domain.alarm import Alarm, RaiseAlarm
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
from app.domain.ports import Clock
from app.domain.vitals import RelayVitals

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=2)  # memory and one or two look-ups in an index
CRITICAL_WAIT = timedelta(minutes=15)
LONG_WAIT = timedelta(days=1)
REMIND_EVERY = timedelta(hours=6)  # while it lasts: a night is not full of alarms, a weekend not without one
OLDEST = 20  # mails looked at for one that is no alarm itself


class WatchedJournal(Protocol):
    """What the watch asks of the journal. Empty strings mean that all is well."""

    @property
    def fault(self) -> str: ...
    @property
    def quarantine(self) -> str: ...
    @property
    def open_count(self) -> int: ...

    async def oldest_waiting(self, at_least: Severity) -> int | None:
        """Return the running seconds at which the oldest open mail of this severity or more was made."""

    async def overdue(self, *, made_before: int, after: int, limit: int) -> list[QueuedMail]: ...


class Watch:
    """Raises each alarm when its trouble begins, and again now and then while it lasts.

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
        raise_alarm: RaiseAlarm,
    ) -> None:
        """`patience` is how long a relay may be out of order before that is told; wrong settings are told at once.

        `clock` is the wall clock, and `known_at` the latest time that the journal knows.
        """
        self._journal = journal
        self._clock = clock
        self._running_seconds = running_seconds
        self._relays = relays
        self._patience = patience
        self._raise = raise_alarm
        self._jumps = JumpWatch(clock, known_at=known_at)
        self._unusable_since: dict[str, float] = {}
        self._told_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the top of a loop: the next look tries again
                log.warning("watch_failed", error=str(error) or type(error).__name__)
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Raise what is news."""
        jump = self._jumps.look()
        if jump is not None:
            self._raise(clock_alarm(jump))
        # What is in memory goes first: the alarm about a journal must not wait for a read of it.
        told = self._tell([*self._journal_troubles(), *self._relay_troubles()])
        told |= self._tell(await self._delays())
        self._told_at = {cause: at for cause, at in self._told_at.items() if cause in told}

    def _tell(self, alarms: Sequence[Alarm]) -> set[str]:
        """Raise what was not raised lately; return all causes."""
        now = self._clock.monotonic()
        for alarm in alarms:
            told_at = self._told_at.get(alarm.cause)
            if told_at is None or now - told_at >= REMIND_EVERY.total_seconds():
                self._told_at[alarm.cause] = now
                self._raise(alarm)
        return {alarm.cause for alarm in alarms}

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

    async def _delays(self) -> list[Alarm]:
        running, waiting = self._running_seconds(), self._journal.open_count
        if not waiting:
            return []
        alarms = []
        made = await self._journal.oldest_waiting(Severity.CRITICAL)
        if made is not None and running - made >= CRITICAL_WAIT.total_seconds():
            alarms.append(delay_alarm(timedelta(seconds=running - made), waiting=waiting))
        made = await self._journal.oldest_waiting(Severity.INFO)
        if made is not None and running - made >= LONG_WAIT.total_seconds():
            alarms.extend(await self._waiting_long(running, waiting))
        return alarms

    async def _waiting_long(self, running: int, waiting: int) -> list[Alarm]:
        made_before = running - int(LONG_WAIT.total_seconds())
        mails = await self._journal.overdue(made_before=made_before, after=0, limit=OLDEST)
        for mail in mails:
            if not mail.letterhead.is_alarm:  # an alarm about an alarm would be a loop
                waited = timedelta(seconds=running - mail.envelope.running_seconds)
                return [waiting_long_alarm(mail, waited, waiting=waiting)]
        return []
