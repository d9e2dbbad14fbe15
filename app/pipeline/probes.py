"""Probes: a test mail over each relay to the system's own mailbox shows that mail arrives, and how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from app.domain.alarm import Alarm
from app.domain.ids import IdSource
from app.domain.mailbox_alarms import probe_alarm
from app.domain.outcome import Outcome, Sent, in_words
from app.domain.ports import Clock
from app.domain.vitals import ProbeVitals

log = structlog.get_logger()

MAX_UNDER_WAY = 100  # of one relay: those beyond are hours old, and one of them being missing is told already
FIRST_LOOK_S = 0.5  # from one question whether the mailbox has been looked at to the next

SendProbe = Callable[[str, int], Awaitable[Sequence[Outcome]]]  # relay, number; never raises for the relay's faults


@dataclass(slots=True)
class _Line:
    """What is known of one relay. Times are monotonic seconds."""

    relay: str
    under_way: dict[int, float] = field(default_factory=dict)  # numbers, and when the relay had taken them
    round_trip_s: float | None = None
    arrived_at: float | None = None


class ProbeDesk:
    """Sends probes and hears of their arrival. It knows those of this run only: an older one that comes is no news."""

    def __init__(
        self,
        *,
        relays: Sequence[str],
        send: SendProbe,
        ids: IdSource,
        clock: Clock,
        every: timedelta,
        alarm_after: timedelta,
        mailbox_read_at: Callable[[], float | None],
        on_sent: Callable[[], None],
    ) -> None:
        """`on_sent` is called when a relay has taken one.

        `mailbox_read_at` is when the last look into the mailbox that succeeded began, in monotonic seconds: while
        nobody can look, a probe that is not seen says nothing of its relay.
        """
        self._lines = {relay: _Line(relay) for relay in relays}
        self._send = send
        self._ids = ids
        self._clock = clock
        self._every = every
        self._alarm_after = alarm_after
        self._mailbox_read_at = mailbox_read_at
        self._on_sent = on_sent

    @property
    def is_expecting(self) -> bool:
        """Whether a probe is on its way that is not missing yet: then the mailbox is worth a look more often."""
        return any(
            self._clock.monotonic() - sent_at < self._alarm_after.total_seconds()
            for line in self._lines.values()
            for sent_at in line.under_way.values()
        )

    async def run(self) -> None:
        """Send probes until it is cancelled; none before the first look, which leaves alone what is there already."""
        while True:
            is_looked_at = self._mailbox_read_at() is not None
            if is_looked_at:
                await asyncio.gather(*(self._probe(line) for line in self._lines.values()))
            await asyncio.sleep(self._every.total_seconds() if is_looked_at else FIRST_LOOK_S)

    def arrived(self, number: int) -> timedelta | None:
        """Take the arrival of a probe; return how long it took, None for one of an earlier run, or that came before."""
        for line in self._lines.values():
            sent_at = line.under_way.pop(number, None)
            if sent_at is not None:
                now = self._clock.monotonic()
                line.round_trip_s, line.arrived_at = now - sent_at, now
                log.info("probe_arrived", relay=line.relay, seconds=round(now - sent_at, 3))
                return timedelta(seconds=now - sent_at)
        return None

    def troubles(self) -> list[Alarm]:
        """Return an alarm for each relay whose probe is missing just now."""
        missing = {line.relay: waited for line in self._lines.values() if (waited := self._missing_for(line))}
        others_arrive = any(line.arrived_at is not None and line.relay not in missing for line in self._lines.values())
        return [probe_alarm(relay, waited=waited, others_arrive=others_arrive) for relay, waited in missing.items()]

    def vitals(self) -> tuple[ProbeVitals, ...]:
        """Return how each relay stands."""
        return tuple(map(self._vitals_of, self._lines.values()))

    def _vitals_of(self, line: _Line) -> ProbeVitals:
        age = None if line.arrived_at is None else timedelta(seconds=self._clock.monotonic() - line.arrived_at)
        return ProbeVitals(
            relay=line.relay,
            round_trip_s=line.round_trip_s,
            last_arrival_age=age,
            is_missing=self._missing_for(line) is not None,
        )

    def _missing_for(self, line: _Line) -> timedelta | None:
        """Return for how long the oldest probe has been under way, if somebody could have seen it and did not."""
        read_at = self._mailbox_read_at()
        sent_at = min(line.under_way.values(), default=None)
        if sent_at is None or read_at is None or read_at - sent_at < self._alarm_after.total_seconds():
            return None
        # One that came later has shown that the relay delivers: what is before it was lost, which is told once.
        if line.arrived_at is not None and line.arrived_at - (line.round_trip_s or 0) > sent_at:
            return None
        return timedelta(seconds=self._clock.monotonic() - sent_at)

    async def _probe(self, line: _Line) -> None:
        number = self._ids.next_id(int(self._clock.now().timestamp() * 1000))
        try:
            outcomes = await self._send(line.relay, number)
        except Exception:  # the top of the probe: the next one is worth its own try
            log.exception("probe_failed", relay=line.relay)
            return
        refusal = next((outcome for outcome in outcomes if not isinstance(outcome, Sent)), None)
        if refusal is not None or not outcomes:  # the relay's own troubles are told by the watch
            reason = in_words(refusal) if refusal is not None and not isinstance(refusal, Sent) else "no answer"
            log.warning("probe_not_sent", relay=line.relay, reason=reason)
            return
        self._drop_lost(line)
        line.under_way[number] = self._clock.monotonic()
        log.info("probe_sent", relay=line.relay)
        self._on_sent()

    def _drop_lost(self, line: _Line) -> None:
        """Forget what can tell nothing more: probes from before the last one that came, and the most of too many."""
        if line.arrived_at is not None:
            came_sent_at = line.arrived_at - (line.round_trip_s or 0)
            line.under_way = {n: at for n, at in line.under_way.items() if at >= came_sent_at}
        while len(line.under_way) >= MAX_UNDER_WAY:
            line.under_way.pop(list(line.under_way)[1])  # not the oldest, which tells since when they are missing
