"""The life of the daemon: start, signals, drain with a deadline, and stop in reverse order."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog

from app.delivery.recorder import Recorder
from app.delivery.sender import Sender
from app.domain.alarm_causes import broken_journal_alarm, rescue_alarm
from app.domain.errors import JournalCorrupt, JournalFailed, JournalUnavailable
from app.domain.ports import Clock
from app.httpkit.server import SignalFreeServer
from app.pipeline.alarm_desk import AlarmDesk
from app.pipeline.ingest import Ingest
from app.pipeline.notice import StartFacts, should_notify, startup_notice
from app.pipeline.upkeep import Upkeep
from app.storage.journal import SqliteJournal
from app.storage.rescue import RescueReport

log = structlog.get_logger()

SIGNALS = (signal.SIGTERM, signal.SIGINT)
SECOND_SIGNAL_STATUS = 1
NOTICE_PATIENCE = timedelta(seconds=15)  # for the mailbox: then the notice leaves, whether it can be read or not
NOTICE_RETRY = timedelta(seconds=10)
DISK_FAILED_STATUS = 74  # EX_IOERR of sysexits.h
LAST_ALARMS = timedelta(seconds=3)  # what a stop waits for alarms that are on their way; Docker allows it 10 in all


class MailDoor(Protocol):
    """Takes mail from `start` on; while it drains it turns clients away."""

    async def start(self) -> None:
        """Take mail."""

    def drain(self) -> None:
        """Take none any more."""

    async def stop(self) -> None:
        """End the sessions, and listen no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What main has built, ready to run."""

    journal: SqliteJournal
    ingest: Ingest
    sender: Sender
    recorder: Recorder
    upkeep: Upkeep
    alarm_desk: AlarmDesk
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]]  # what runs beside, until it is cancelled
    server: SignalFreeServer
    listener: socket.socket
    smtp_intake: MailDoor | None = None
    mailbox_is_read: Callable[[], Coroutine[Any, Any, None]] | None = None  # returns once the first look is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the daemon says of itself."""

    version: str
    host: str
    url: str


class Service:
    """Runs the parts until a signal comes, and ends them without losing anything."""

    def __init__(
        self,
        parts: Parts,
        *,
        identity: Identity,
        clock: Clock,
        drain_timeout: timedelta,
        announce: bool,
        rescue: RescueReport | None,
        on_ready: Callable[[], None],
    ) -> None:
        """`announce`: mail the startup notice. `rescue` tells what was saved of a damaged journal before this start.
        `on_ready` is called once alerts can be posted.
        """
        self._parts = parts
        self._identity = identity
        self._clock = clock
        self._drain_timeout = drain_timeout
        self._announce = announce
        self._rescue = rescue
        self._on_ready = on_ready
        self._stop = asyncio.Event()
        self._run_number: int | None = None

    async def run(self) -> int:
        """Return the exit status once all has ended. Raises JournalCorrupt when the journal turned out damaged."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        parts = self._parts
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(parts.sender.run())
            beside = [group.create_task(work()) for work in (parts.upkeep.run, parts.alarm_desk.run, *parts.background)]
            group.create_task(parts.server.serve(sockets=[parts.listener]))
            beginning = group.create_task(self._begin())
            if parts.smtp_intake:
                await parts.smtp_intake.start()
            log.info("listening", url=self._identity.url)
            self._on_ready()
            broken = await self._stopped_or_broken()
            beginning.cancel()
            await (self._break_off(sending, broken) if broken else self._drain(sending))
            await parts.alarm_desk.finish(within=LAST_ALARMS)
            for task in beside:
                task.cancel()
            if not broken:
                await self._end()
            if parts.smtp_intake:
                await parts.smtp_intake.stop()
            parts.server.should_exit = True
        if isinstance(broken, JournalCorrupt):
            raise broken
        return DISK_FAILED_STATUS if broken else 0

    async def _stopped_or_broken(self) -> JournalFailed | JournalCorrupt | None:
        """Wait for a signal, or for the end of the journal; return why it can be written no more."""
        broken = self._parts.journal.broken
        broken.add_done_callback(lambda _: self._stop.set())
        await self._stop.wait()
        return broken.result() if broken.done() else None

    async def _break_off(self, sending: asyncio.Task[None], broken: Exception) -> None:
        """End without a drain: no outcome can be recorded any more. The leases tell the next start what was going."""
        log.critical("journal_broken", error=str(broken))
        self._parts.ingest.close()
        self._parts.alarm_desk.raise_alarm(broken_journal_alarm(str(broken)))
        await self._parts.sender.cut_off()
        await asyncio.wait([sending])

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            log.warning("stopped_at_once", signal=signal.Signals(number).name)
            # What was accepted is in the journal. One turn later, so that the log has the line.
            asyncio.get_running_loop().call_soon(os._exit, SECOND_SIGNAL_STATUS)
            return
        log.info("stop_requested", signal=signal.Signals(number).name)
        self._stop.set()

    async def _begin(self) -> None:
        """Record the start and queue the notice, as soon as the journal can be written."""
        journal = self._parts.journal
        recovered = journal.open_count
        started = self._clock.now()
        while True:
            try:
                self._run_number, before = await journal.begin_run(started)
                break
            except JournalUnavailable:
                await asyncio.sleep(NOTICE_RETRY.total_seconds())
        log.info("started", version=self._identity.version, recovered=recovered, last_run_clean=before.ended_cleanly)
        if self._rescue is not None:
            self._parts.alarm_desk.raise_alarm(
                rescue_alarm(
                    copied=self._rescue.copied,
                    lost=self._rescue.lost,
                    lost_files=self._rescue.lost_files,
                    old_file=self._rescue.old_file.name,
                )
            )
        facts = StartFacts(
            version=self._identity.version,
            host=self._identity.host,
            at=started,
            recovered=recovered,
            before=before,
            possibly_twice=journal.interrupted,
        )
        if self._announce and should_notify(before, started):
            await self._let_mailbox_be_read()
            try:
                await self._notify(facts)
            except Exception:  # a notice is not worth the daemon
                log.exception("notice_failed")

    async def _let_mailbox_be_read(self) -> None:
        """Wait for the first look, which leaves alone what is there: the notice may be the first mail to come back."""
        if self._parts.mailbox_is_read is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._parts.mailbox_is_read(), NOTICE_PATIENCE.total_seconds())

    async def _notify(self, facts: StartFacts) -> None:
        assert self._run_number is not None
        while True:
            try:
                # Together, so that they share a commit: a crash between them would bring a second notice.
                await asyncio.gather(
                    self._parts.ingest.accept([startup_notice(facts)]),
                    self._parts.journal.mark_noticed(self._run_number),
                )
            except JournalUnavailable:
                await asyncio.sleep(NOTICE_RETRY.total_seconds())
            else:
                return

    async def _drain(self, sending: asyncio.Task[None]) -> None:
        """End the intake, then send what is queued until the deadline. The server answers 503 meanwhile."""
        parts = self._parts
        parts.ingest.close()
        if parts.smtp_intake:
            parts.smtp_intake.drain()
        await self._committed()  # posts that were under way are in the journal now, so the drain sees them
        log.info("drain_started", queued=parts.journal.open_count, deadline_seconds=self._drain_timeout.total_seconds())
        sent_before = parts.recorder.sent
        parts.sender.drain()
        done, _ = await asyncio.wait([sending], timeout=self._drain_timeout.total_seconds())
        if not done:
            await parts.sender.cut_off()
            await asyncio.wait([sending])
        await self._committed()
        log.info("drained", sent=parts.recorder.sent - sent_before, left_in_journal=parts.journal.open_count)

    async def _committed(self) -> None:
        """Wait until everything submitted to the journal so far is committed, or cannot be."""
        with contextlib.suppress(JournalUnavailable):
            await self._parts.journal.flush()

    async def _end(self) -> None:
        with contextlib.suppress(JournalUnavailable):  # then the next start tells of an unclean end
            await self._parts.upkeep.keep_clocks()
            if self._run_number is not None:
                await self._parts.journal.end_run(self._run_number, self._clock.now())
