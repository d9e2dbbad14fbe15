"""The heartbeat desk: takes pings, looks which heartbeats are overdue, and raises and resolves their alerts.

What changes in a heartbeat and the alert that follows from it are committed together.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.alert import Alert, Status
from app.domain.errors import JournalUnavailable
from app.domain.heartbeat import Heartbeat, HeartbeatRecord, Pulse
from app.domain.heartbeat_alert import Facts, heartbeat_alert
from app.domain.heartbeat_turns import Absence, Step, Turn, on_look, on_ping
from app.domain.ping import MAX_OUTPUT, SIGN_OF_LIFE, Ping, PingKind
from app.domain.ports import Clock
from app.domain.receipt import Claim, Receipt
from app.pipeline.heartbeat_wanted import AS_IT_IS, HeartbeatInSettings, TooManyHeartbeats, UnknownHeartbeat, Wanted
from app.pipeline.heartbeat_watch import Watched
from app.pipeline.ingest import Ingest, Submission

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=1)  # memory only; the shortest period is as long
RETRY_AFTER = timedelta(seconds=10)  # when the journal could not be written
# Looks come every second or, after a fault, every ten; a longer gap is no delay, but a machine that slept.
LONGEST_GAP = timedelta(minutes=1)
MAX_AD_HOC = 1_000  # whoever may send could make them without end
NO_ALERTS = Submission(alerts=())
TAKEN = "taken as a sign of life of heartbeat {}; nobody is mailed"
ENDED = "the sign of life of heartbeat {} has ended; nobody is mailed before it is overdue"


class HeartbeatStore(Protocol):
    """What the desk needs of the journal, beside the ingest."""

    @property
    def fault(self) -> str:
        """Why nothing can be written just now, empty if it can."""

    async def heartbeats(self) -> list[HeartbeatRecord]:
        """Return all of them, without their output."""

    async def heartbeat_output(self, name: str) -> bytes:
        """Return what its last ping brought along."""

    async def forget_heartbeat(self, name: str) -> None:
        """Remove it. Raises JournalUnavailable."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to become of a heartbeat. `output` is kept with it unless it is None."""

    watched: Watched
    heartbeat: Heartbeat
    step: Step
    at: datetime
    output: bytes | None = None

    @property
    def record(self) -> HeartbeatRecord:
        return HeartbeatRecord(self.heartbeat, self.step.pulse, self.output)


class HeartbeatDesk:
    """Knows all heartbeats. `load` it before anything else; `run` finds out which are overdue."""

    def __init__(
        self,
        *,
        ingest: Ingest,
        store: HeartbeatStore,
        clock: Clock,
        configured: Sequence[Heartbeat],
        left_at: datetime | None,
    ) -> None:
        """`configured` are those of the settings; `left_at` is when an earlier run was last seen, None if none was.

        `clock` is the wall clock, for cron lives by it.
        """
        self._ingest = ingest
        self._store = store
        self._clock = clock
        self._configured = {heartbeat.name: heartbeat for heartbeat in configured}
        self._fed = [heartbeat for heartbeat in configured if heartbeat.matchers]
        self._looked_at = left_at
        self._is_new = True  # until the first look of this run
        self._watched: dict[str, Watched] = {}
        self._stale: set[str] = set()  # no longer in the settings
        self._making = asyncio.Lock()

    async def load(self) -> None:
        """Read what earlier runs have kept. Those of the settings that are new are watched from now on."""
        for record in await self._store.heartbeats():
            name = record.heartbeat.name
            heartbeat = self._configured.get(name, record.heartbeat)
            if name in self._configured or heartbeat.is_ad_hoc:
                self._watched[name] = Watched(heartbeat, record.pulse)
            else:
                self._stale.add(name)
        for name, heartbeat in self._configured.items():
            if name not in self._watched:
                self._watched[name] = Watched(heartbeat, Pulse(since=self._clock.now()), is_kept=False)

    @property
    def is_fed(self) -> bool:
        """Whether there are alerts that are signs of life, which have to come by `take`."""
        return bool(self._fed)

    def records(self) -> list[HeartbeatRecord]:
        """Return all heartbeats by name, without their output."""
        return [HeartbeatRecord(watched.heartbeat, watched.pulse) for _, watched in sorted(self._watched.items())]

    async def ping(self, name: str, ping: Ping, *, output: bytes = b"", wanted: Wanted = AS_IT_IS) -> bool:
        """Return, once the ping is durable, whether an alert came of it.

        A ping with a schedule makes a heartbeat that is not known.

        Raises UnknownHeartbeat, TooManyHeartbeats and JournalUnavailable.
        """
        # The output of a run belongs to its end; that of the one before stays until then.
        kept = None if ping.kind is PingKind.START else output
        while True:
            watched = self._watched.get(name)
            if watched is None:
                async with self._making:
                    if name not in self._watched:
                        return await self._make(name, ping, kept, wanted)
                continue
            async with watched.lock:
                if not watched.is_gone:
                    heartbeat = wanted.applied_to(watched.heartbeat)
                    change = self._heard(watched, heartbeat, ping, kept)
                    await self._commit([change])
                    return change.step.turn is not None

    async def remove(self, name: str) -> None:
        """Remove one that a ping has made. Raises UnknownHeartbeat, HeartbeatInSettings and JournalUnavailable."""
        watched = self._watched.get(name)
        if watched is None:
            raise UnknownHeartbeat(name)
        if not watched.heartbeat.is_ad_hoc:
            raise HeartbeatInSettings(name)
        async with watched.lock:
            if watched.is_gone:
                raise UnknownHeartbeat(name)
            await self._store.forget_heartbeat(name)
            watched.is_gone = True
            self._watched.pop(name, None)
        log.info("heartbeat_removed", heartbeat=name)

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        """Hand the submission on to the ingest; alerts that feed a heartbeat are pings, and mailed to nobody.

        The end of one is no ping, and mailed to nobody either: "resolved" would read as good news.
        """
        fed_by = {position: self._fed_by(alert) for position, alert in enumerate(submission.alerts)}
        signs = {position: names for position, names in fed_by.items() if names}
        if not signs:
            return await self._ingest.take(submission, claims)
        ended = {position for position in signs if submission.alerts[position].status is Status.RESOLVED}
        names = _names_at(signs, signs.keys() - ended)
        told = (*map(TAKEN.format, names), *map(ENDED.format, _names_at(signs, ended)))
        async with AsyncExitStack() as locks:
            fed = [self._watched[name] for name in names]
            for watched in fed:  # sorted, so that two batches never wait for each other
                await locks.enter_async_context(watched.lock)
            changes = [self._heard(watched, watched.heartbeat, SIGN_OF_LIFE, None) for watched in fed]
            quiet = replace(submission, silent=frozenset(signs), warnings=submission.warnings + told)
            return await self._commit(changes, quiet, claims)

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            pause = LOOK_EVERY
            try:
                await self.look()
            except JournalUnavailable as error:
                log.warning("heartbeats_failed", error=str(error))
                pause = RETRY_AFTER
            except Exception:  # the top of the loop: the next look tries again
                log.exception("heartbeats_failed")
                pause = RETRY_AFTER
            await asyncio.sleep(pause.total_seconds())

    async def look(self) -> None:
        """Raise an alert for each heartbeat that is overdue by now. Raises JournalUnavailable.

        While the journal cannot be written nothing is looked at: pings come to nothing, which is no fault of theirs.
        """
        if self._store.fault or self._ingest.closed:
            return
        now = self._clock.now()
        absence = self._absence_until(now)
        # When the clock has gone back, times of all of them may lie ahead of it.
        look_at_all = absence is not None or self._looked_at is None or now < self._looked_at
        self._looked_at, self._is_new = now, False
        up = [watched for watched in self._watched.values() if look_at_all or watched.is_up_for_a_look(now)]
        await self._forget_stale()
        outcomes = await asyncio.gather(*(self._look_at(watched, absence) for watched in up), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _absence_until(self, now: datetime) -> Absence | None:
        """Return the time since the last look, if in it no ping could be heard; between two runs that is so."""
        before = self._looked_at
        if before is None or now - before <= (timedelta() if self._is_new else LONGEST_GAP):
            return None
        return Absence(before, now)

    async def _look_at(self, watched: Watched, absence: Absence | None) -> None:
        async with watched.lock:
            if watched.is_gone:
                return
            if absence is not None:
                watched.note_absence(absence)
            now = self._clock.now()
            step = on_look(watched.heartbeat, watched.pulse, now)
            if step.pulse != watched.pulse or not watched.is_kept:
                await self._commit([_Change(watched, watched.heartbeat, step, now)])

    async def _forget_stale(self) -> None:
        for name in sorted(self._stale):
            await self._store.forget_heartbeat(name)
            self._stale.discard(name)

    def _fed_by(self, alert: Alert) -> list[str]:
        return [heartbeat.name for heartbeat in self._fed if heartbeat.is_fed_by(alert)]

    async def _make(self, name: str, ping: Ping, output: bytes | None, wanted: Wanted) -> bool:
        heartbeat = wanted.made(name)
        if sum(watched.heartbeat.is_ad_hoc for watched in self._watched.values()) >= MAX_AD_HOC:
            raise TooManyHeartbeats(name)
        watched = Watched(heartbeat, Pulse(since=self._clock.now()))
        change = self._heard(watched, heartbeat, ping, output)
        await self._commit([change])
        self._watched[name] = watched
        log.info("heartbeat_made", heartbeat=name, schedule=str(heartbeat.schedule))
        return change.step.turn is not None

    def _heard(self, watched: Watched, heartbeat: Heartbeat, ping: Ping, output: bytes | None) -> _Change:
        now = self._clock.now()
        step = on_ping(watched.pulse, ping, now)
        if output is not None:
            output = output[-MAX_OUTPUT:]
            step = replace(step, pulse=replace(step.pulse, output_bytes=len(output)))
        return _Change(watched, heartbeat, step, now, output)

    async def _commit(
        self, changes: Sequence[_Change], submission: Submission = NO_ALERTS, claims: Sequence[Claim] = ()
    ) -> Receipt:
        """Take the changes, the alerts that follow from them and the submission together. The locks are held."""
        beside = tuple([await self._alert(change, change.step.turn) for change in changes if change.step.turn])
        records = [change.record for change in changes]
        receipt = await self._ingest.take(replace(submission, beside=beside), claims, records)
        for change, record in zip(changes, records, strict=True):
            change.watched.now_is(record)
            if change.step.turn:
                log.warning("heartbeat_turned", heartbeat=record.heartbeat.name, state=record.pulse.state)
        return receipt

    async def _alert(self, change: _Change, turn: Turn) -> Alert:
        output = change.output or b""
        if turn is Turn.OVERDUE and change.watched.pulse.output_bytes:
            output = await self._store.heartbeat_output(change.heartbeat.name)
        before, after = change.watched.pulse, change.step.pulse
        facts = Facts(heartbeat=change.heartbeat, before=before, after=after, now=change.at, output=output)
        return heartbeat_alert(turn, facts)


def _names_at(signs: Mapping[int, Sequence[str]], positions: Collection[int]) -> list[str]:
    """Return the heartbeats that the alerts at these positions feed; sorted, so that locks are taken in one order."""
    return sorted({name for position in positions for name in signs[position]})
