"""Probes: a test mail over each relay to the system's own mailbox shows that mail arrives, and how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from app.domain.alarm import Alarm
from app.domain.ids import IdSource
from app.domain.mailbox_alarms import probe_alarm, untaken_probe_alarm
from app.domain.outcome import Outcome, Sent, in_words
from app.domain.ports import Clock
from app.domain.vitals import ProbeVitals
from app.pipeline.probe_line import ProbeLine

log = structlog.get_logger()

FIRST_LOOK_S = 0.5  # from one question whether the mailbox has been looked at to the next

SendProbe = Callable[[str, int], Awaitable[Sequence[Outcome]]]  # relay, number; never raises for the relay's faults


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
        readable_for: Callable[[], timedelta | None],
        on_sent: Callable[[], None],
    ) -> None:
        """`on_sent` is called when a relay has taken one.

        `readable_for` is for how long the mailbox had been looked at without a fault when it was looked at last, None
        if it cannot be: a probe that nobody could see is not missing.
        """
        self._lines = {relay: ProbeLine(relay) for relay in relays}
        self._send = send
        self._ids = ids
        self._clock = clock
        self._every = every
        self._alarm_after = alarm_after
        self._readable_for = readable_for
        self._on_sent = on_sent

    @property
    def is_expecting(self) -> bool:
        """Whether a probe is on its way that is not missing yet: then the mailbox is worth a look more often."""
        since = self._clock.monotonic() - self._alarm_after.total_seconds()
        return any(line.has_one_since(since) for line in self._lines.values())

    async def run(self) -> None:
        """Send probes until it is cancelled; none before the first look, which leaves alone what is there already."""
        while True:
            is_looked_at = self._readable_for() is not None
            if is_looked_at:
                await self.probe_all()
            await asyncio.sleep(self._every.total_seconds() if is_looked_at else FIRST_LOOK_S)

    async def probe_all(self) -> None:
        """Send one over each relay, at once."""
        await asyncio.gather(*map(self._probe, self._lines.values()))

    def arrived(self, number: int) -> None:
        """Take the arrival of a probe; one of an earlier run, or that came before, is no news."""
        for line in self._lines.values():
            round_trip_s = line.arrived(number, self._clock.monotonic())
            if round_trip_s is not None:
                log.info("probe_arrived", relay=line.relay, seconds=round(round_trip_s, 3))

    def came_back(self, number: int, words: str) -> None:
        """Take the report that a probe was not delivered, in the words of the server that says so."""
        for line in self._lines.values():
            fault = f"it took a test mail, which came back: {words}"
            if line.failed(number, fault, self._clock.monotonic(), has_come_back=True):
                log.warning("probe_came_back", relay=line.relay, words=words)

    def troubles(self) -> list[Alarm]:
        """Return an alarm for each relay whose probes do not arrive, or that takes none, just now."""
        return [alarm for line in self._lines.values() if (alarm := self._trouble(line)) is not None]

    def vitals(self) -> tuple[ProbeVitals, ...]:
        """Return how each relay stands."""
        return tuple(map(self._vitals_of, self._lines.values()))

    def _trouble(self, line: ProbeLine) -> Alarm | None:
        if line.fault and self._has_failed_long(line):
            return untaken_probe_alarm(line.relay, reason=line.fault)
        waited = self._missing_for(line)
        if waited is None:
            return None
        others = [other for other in self._lines.values() if other is not line and other.came is not None]
        return probe_alarm(
            line.relay, waited=waited, others_arrive=any(self._missing_for(other) is None for other in others)
        )

    def _vitals_of(self, line: ProbeLine) -> ProbeVitals:
        age = None if line.came is None else timedelta(seconds=self._clock.monotonic() - line.came.at)
        return ProbeVitals(
            relay=line.relay,
            round_trip_s=line.came.round_trip_s if line.came is not None else None,
            last_arrival_age=age,
            is_missing=self._trouble(line) is not None,
        )

    def _has_failed_long(self, line: ProbeLine) -> bool:
        """One refusal may pass: the relay restarts. What came back does not."""
        lasted = self._clock.monotonic() - line.failing_since
        return line.has_come_back or lasted >= self._alarm_after.total_seconds()

    def _missing_for(self, line: ProbeLine) -> timedelta | None:
        """Return for how long the oldest probe has been under way, if it could have been seen for long enough."""
        readable_for, sent_at = self._readable_for(), line.oldest
        if sent_at is None or readable_for is None:
            return None
        under_way = timedelta(seconds=self._clock.monotonic() - sent_at)
        return under_way if min(under_way, readable_for) >= self._alarm_after else None

    async def _probe(self, line: ProbeLine) -> None:
        number = self._ids.next_id(int(self._clock.now().timestamp() * 1000))
        line.begin(number, self._clock.monotonic())  # it can be there before the relay has said goodbye
        try:
            outcomes = await self._send(line.relay, number)
        except Exception as error:  # the top of the probe: the next one is worth its own try
            log.exception("probe_failed", relay=line.relay)
            line.failed(number, f"sending fails here: {error}", self._clock.monotonic())
            return
        refusal = next((outcome for outcome in outcomes if not isinstance(outcome, Sent)), None)
        if refusal is not None:
            log.warning("probe_not_sent", relay=line.relay, reason=in_words(refusal))
            line.failed(number, in_words(refusal), self._clock.monotonic())
            return
        line.taken(number, self._clock.monotonic())
        log.info("probe_sent", relay=line.relay)
        self._on_sent()
