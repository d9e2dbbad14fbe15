"""The alarm desk: takes alarms from every part, lets one of each cause out an hour, and gives it to every way out."""

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
    """Raising an alarm costs its caller nothing; `run` does the rest."""

    def __init__(self, *, sinks: Sequence[AlarmSink], memory: AlarmMemory, clock: Clock) -> None:
        """Without sinks alarms are only logged."""
        self._memory = memory
        self._clock = clock
        self._raised: asyncio.Queue[Alarm] = asyncio.Queue(MAX_WAITING)
        self._outgoing = [(sink, asyncio.Queue[Alarm](MAX_WAITING)) for sink in sinks]
        self._causes: dict[str, _Told] = {}

    def raise_alarm(self, alarm: Alarm) -> None:
        """Take the alarm, from within the event loop. Returns at once and never raises."""
        try:
            self._raised.put_nowait(alarm)
        except asyncio.QueueFull:
            log.warning("alarm_dropped", cause=alarm.cause, subject=alarm.subject, reason="too many alarms wait")

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
        """Let the alarm out, or count it as kept back."""
        told = self._told(alarm.cause)
        now = self._clock.monotonic()
        if told.at is not None and now - told.at < QUIET.total_seconds():
            told.kept_back += 1
            return
        if not await self._note(alarm.cause):
            told.kept_back += 1
            return
        log.warning("alarm", cause=alarm.cause, subject=alarm.subject, severity=alarm.severity, facts=dict(alarm.facts))
        self._hand_out(_with_count(alarm, told.kept_back))
        told.at, told.kept_back = now, 0

    def _told(self, cause: str) -> _Told:
        if cause not in self._causes and len(self._causes) >= MAX_CAUSES:
            self._causes.pop(next(iter(self._causes)))
        return self._causes.setdefault(cause, _Told())

    async def _note(self, cause: str) -> bool:
        """Ask the journal, so that a restart loop is quiet too; where it fails, memory alone decides."""
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
