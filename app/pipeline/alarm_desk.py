"""The alarm desk: takes alarms from every part, decides which are told, and gives those to every way out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.alarm import Alarm
from app.domain.errors import AlarmNotSent
from app.domain.ports import Clock

log = structlog.get_logger()

QUIET = timedelta(hours=1)  # after an alarm, in which others of its cause are only counted
REMIND_EVERY = timedelta(hours=6)  # while it lasts: a night is not full of alarms, a weekend not without one
MAX_WAITING = 100  # alarms; each cause waits at most once an hour, and there are a few dozen causes
MAX_CAUSES = 1000  # remembered in memory; what a relay says can make new ones
JOURNAL_PATIENCE = timedelta(seconds=1)  # an alarm may be about the very disk that its memory is on
RETRY_AFTER = (timedelta(seconds=5), timedelta(seconds=30))  # a receiver that restarts; beyond it somebody must look


class AlarmSink(Protocol):
    """A way out for alarms. It has a deadline of its own."""

    @property
    def name(self) -> str:
        """How the log names it."""

    async def send(self, alarm: Alarm) -> None:
        """Hand the alarm over. Raises AlarmNotSent, whose message holds no secret."""


class AlarmMemory(Protocol):
    """What remembers alarms beyond the end of a run."""

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Return whether none was noted for this cause within `quiet` before; if so, note this one."""


@dataclass(slots=True)
class _Told:
    """What this run knows of one cause. `at` is monotonic, None if it was told by an earlier run."""

    at: float | None = None
    kept_back: int = 0


class AlarmDesk:
    """The one place that decides when a cause may be told again. Raising costs its caller nothing; `run` does the rest.

    What happens is told at once, then at most once an hour for each cause. What lasts is told when it begins, as soon
    as the hour allows, and again every 6 hours.
    """

    def __init__(self, *, sinks: Sequence[AlarmSink], memory: AlarmMemory, clock: Clock) -> None:
        """Without sinks alarms are only logged."""
        self._memory = memory
        self._clock = clock
        self._raised: asyncio.Queue[Alarm] = asyncio.Queue(MAX_WAITING)
        self._outgoing = [(sink, asyncio.Queue[Alarm](MAX_WAITING)) for sink in sinks]
        self._causes: dict[str, _Told] = {}
        self._lasting: dict[str, float] = {}  # causes, and since when by monotonic time

    def raise_alarm(self, alarm: Alarm) -> None:
        """Take an alarm about what has happened, from within the event loop. Returns at once and never raises."""
        try:
            self._raised.put_nowait(alarm)
        except asyncio.QueueFull:
            log.warning("alarm_dropped", cause=alarm.cause, subject=alarm.subject, reason="too many alarms wait")

    def keep_raised(self, troubles: Sequence[Alarm]) -> None:
        """Take all that is wrong just now; what is missing has ended. Called again and again while there is any."""
        now, before = self._clock.monotonic(), self._lasting
        self._lasting = {trouble.cause: before.get(trouble.cause, now) for trouble in troubles}
        for cause in before.keys() - self._lasting.keys():
            self._told(cause).kept_back += not self._is_told(cause, since=before[cause])
        for trouble in troubles:
            if self._is_due(trouble.cause):
                self.raise_alarm(trouble)

    async def run(self) -> None:
        """Hand out alarms until it is cancelled; a way out that is slow or fails holds up no other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._judge_all())
            for sink, waiting in self._outgoing:
                group.create_task(_send_all(sink, waiting))

    async def finish(self, *, within: timedelta) -> None:
        """Return once every alarm raised so far is out or given up, at the latest `within` this time."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._raised.join()
                for _, waiting in self._outgoing:
                    await waiting.join()
        except TimeoutError:
            log.warning("alarms_left", count=self._raised.qsize() + sum(queue.qsize() for _, queue in self._outgoing))

    async def _judge_all(self) -> None:
        while True:
            alarm = await self._raised.get()
            try:
                await self._judge(alarm)
            except Exception:  # the top of the loop: the next alarm is worth its own try
                log.exception("alarm_failed", cause=alarm.cause)
            self._raised.task_done()

    async def _judge(self, alarm: Alarm) -> None:
        """Let the alarm out, or count it as kept back; what lasts is counted once it has ended."""
        told = self._told(alarm.cause)
        if not (self._is_due(alarm.cause) and await self._note(alarm.cause)):
            told.kept_back += alarm.cause not in self._lasting
            return
        log.warning("alarm", cause=alarm.cause, subject=alarm.subject, severity=alarm.severity, facts=dict(alarm.facts))
        self._hand_out(_with_count(alarm, told.kept_back))
        told.at, told.kept_back = self._clock.monotonic(), 0

    def _is_due(self, cause: str) -> bool:
        """Tell whether this run has been quiet about the cause for long enough."""
        told_at, lasting_since = self._told(cause).at, self._lasting.get(cause)
        if told_at is None:
            return True
        is_reminder = lasting_since is not None and self._is_told(cause, since=lasting_since)
        quiet = REMIND_EVERY if is_reminder else QUIET
        return self._clock.monotonic() - told_at >= quiet.total_seconds()

    def _is_told(self, cause: str, *, since: float) -> bool:
        told_at = self._told(cause).at
        return told_at is not None and told_at >= since

    def _told(self, cause: str) -> _Told:
        if cause not in self._causes and len(self._causes) >= MAX_CAUSES:
            self._causes.pop(next(iter(self._causes)))
        return self._causes.setdefault(cause, _Told())

    async def _note(self, cause: str) -> bool:
        """Ask the journal, so that a restart loop is quiet too; where it fails, memory alone decides.

        After a restart what lasts asks at each look until its hour is over; a no writes nothing to the disk.
        """
        try:
            async with asyncio.timeout(JOURNAL_PATIENCE.total_seconds()):
                return await self._memory.note_alarm(cause, self._clock.now(), QUIET)
        except Exception as error:  # noqa: BLE001 - whatever ails the journal, the alarm goes out, and may be about it
            log.warning("alarm_not_noted", cause=cause, error=str(error) or type(error).__name__)
            return True

    def _hand_out(self, alarm: Alarm) -> None:
        for sink, waiting in self._outgoing:
            try:
                waiting.put_nowait(alarm)
            except asyncio.QueueFull:
                log.warning("alarm_not_sent", sink=sink.name, cause=alarm.cause, reason="too many alarms wait for it")


async def _send_all(sink: AlarmSink, waiting: "asyncio.Queue[Alarm]") -> None:
    while True:
        alarm = await waiting.get()
        try:
            await _send(sink, alarm)
        except Exception:  # the top of the loop: the next alarm is worth its own try
            log.exception("alarm_not_sent", sink=sink.name, cause=alarm.cause, reason="it failed here")
        waiting.task_done()


async def _send(sink: AlarmSink, alarm: Alarm) -> None:
    for pause in (*RETRY_AFTER, None):
        try:
            await sink.send(alarm)
        except AlarmNotSent as fault:
            log.warning("alarm_not_sent", sink=sink.name, cause=alarm.cause, reason=str(fault), given_up=pause is None)
        else:
            log.info("alarm_sent", sink=sink.name, cause=alarm.cause)
            return
        if pause is not None:
            await asyncio.sleep(pause.total_seconds())


def _with_count(alarm: Alarm, kept_back: int) -> Alarm:
    if not kept_back:
        return alarm
    note = f"{kept_back} more of this kind came since the last alarm, and were not told each."
    return replace(alarm, text=f"{alarm.text}\n\n{note}", facts={**alarm.facts, "kept_back": str(kept_back)})
