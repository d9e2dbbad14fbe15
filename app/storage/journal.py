"""The journal on SQLite: what the ports ask for, made of the writer's changes and the reader's reads."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from app.domain.acknowledgement import AckEvent
from app.domain.alert import AcceptedAlert, Severity
from app.domain.dead_letter import DeadLetterPage
from app.domain.envelope import Envelope, EnvelopeState, Letterhead, QueuedMail
from app.domain.errors import JournalCorrupt, JournalFailed, JournalUnavailable
from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.heartbeat import HeartbeatRecord
from app.domain.ids import MAX_ID
from app.domain.ports import DueQuery, FreshStart, PruneStep, RetryStep
from app.domain.receipt import KeptReceipt
from app.domain.report import AlertPage, AlertReport, AlertSummary
from app.domain.runs import PreviousRuns
from app.domain.verdict import Verdict
from app.storage import archive_reads, dead_letters, pruning, queue_reads, runs
from app.storage.acknowledgements import ack_row, add_events, read_standing
from app.storage.alarm_memory import note_alarm
from app.storage.attachments import read_attachments
from app.storage.background_check import BackgroundCheck
from app.storage.changes import Reopening, acceptance_of, lease_of, marking_of
from app.storage.codec import encode_letterhead, from_ms, to_ms
from app.storage.database import Mode, open_reader, open_writer, opening
from app.storage.heartbeats import read_heartbeats, read_output, remove_heartbeat
from app.storage.leases import flag_interrupted
from app.storage.mailbox_journal import MailboxJournal
from app.storage.reader import Reader
from app.storage.receipts import forget_receipts, read_receipts
from app.storage.reserve import Reserve
from app.storage.writer import GroupWriter

LAST_ID = "SELECT max(coalesce((SELECT max(id) FROM alerts), 0), coalesce((SELECT max(id) FROM envelopes), 0))"
STUCK_AFTER = timedelta(seconds=10)  # a commit takes milliseconds, on a busy disk a second or two


class SqliteJournal:
    """The embedded journal. Open it inside a running event loop, after the directory's lock is held."""

    def __init__(self, data_dir: Path, *, mode: Mode, backlog_limit: int) -> None:
        """`backlog_limit` is the number of open envelopes beyond which none is taken.

        Raises ConfigurationError, JournalCorrupt, and JournalUnavailable when the disk is full or fails.
        """
        with opening(data_dir), contextlib.ExitStack() as undo:
            connection = open_writer(data_dir, mode)
            undo.callback(connection.close)
            self.interrupted = flag_interrupted(connection)  # how many mails may be sent twice: the last run crashed
            meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
            self.last_id: int = connection.execute(LAST_ID).fetchone()[0]
            undo.pop_all()
        self.mac_key: bytes = meta["mac_key"]
        self.usable_seconds: int = meta["usable_seconds"]
        self.running_seconds: int = meta["running_seconds"]
        self.kept_at = from_ms(meta["kept_at"]) if meta["kept_at"] else None  # the last time that earlier runs knew
        self._backlog_limit = backlog_limit
        self._accepting = 0
        self._closed = False
        self._writer = GroupWriter(connection, open_count=meta["open"], reserve=Reserve(data_dir))
        self._reader = Reader(open_reader(data_dir), on_fault=self._writer.note_fault)
        self._letterheads = queue_reads.LetterheadCache()  # of the reader's thread
        self.mailbox = MailboxJournal(self._reader, self._writer)  # the part that the reading side fills
        self._check = BackgroundCheck(data_dir, on_fault=self._writer.note_fault)
        self._queue_reads = queue_reads.QueueReads(self._letterheads)

    @property
    def broken(self) -> asyncio.Future[JournalFailed | JournalCorrupt]:
        """Done, with the error as its result, once nothing may be written any more."""
        return self._writer.broken

    @property
    def open_count(self) -> int:
        """How many envelopes wait for at least one recipient."""
        return self._writer.open_count

    @property
    def fault(self) -> str:
        """Why the journal cannot be written just now, empty if it can."""
        stuck = self._writer.stuck_for
        if not self._writer.fault and stuck > STUCK_AFTER:
            return f"a commit has been running for {stuck.total_seconds():.0f} s; see whether the disk hangs"
        if not self._writer.fault and self.open_count >= self._backlog_limit:
            return self._backlog_is_full()
        return self._writer.fault

    @property
    def quarantine(self) -> str:
        """What lies in quarantine, empty if nothing does."""
        count = self._queue_reads.quarantined
        return f"{count} mails cannot be read, and wait in the journal" if count else ""

    @property
    def _room(self) -> int:
        return self._backlog_limit - self.open_count - self._accepting

    @contextlib.contextmanager
    def _room_for(self, count: int) -> Iterator[None]:
        """Hold room in the backlog while that many envelopes are on their way into it."""
        if count > max(0, self._room):  # what brings no mail is taken at any time
            raise JournalUnavailable(self._backlog_is_full())
        self._accepting += count
        try:
            yield
        finally:
            self._accepting -= count

    def _backlog_is_full(self) -> str:
        return f"{self.open_count} mails wait already (backlog_limit {self._backlog_limit}); see why they do not leave"

    async def accept(
        self,
        alerts: Sequence[AcceptedAlert],
        envelopes: Sequence[Envelope],
        receipts: Sequence[KeptReceipt] = (),
        heartbeats: Sequence[HeartbeatRecord] = (),
        feedback: Feedback = NO_FEEDBACK,
    ) -> None:
        """Return once all is committed and fsynced. Raises JournalUnavailable, then nothing was taken."""
        with self._room_for(sum(envelope.state is EnvelopeState.OPEN for envelope in envelopes)):
            await self._writer.submit(acceptance_of(alerts, envelopes, receipts, heartbeats, feedback))

    async def receipts(self, keys: Sequence[bytes]) -> dict[bytes, KeptReceipt]:
        """Return those that are kept under the keys of their claims, however old."""
        return await self._reader.run(partial(read_receipts, keys=keys))

    async def forget_receipts(self, before: datetime) -> int:
        """Remove some receipts made before that time, the oldest first; return how many."""
        return await self._writer.run_errand(partial(forget_receipts, before=before))

    async def heartbeats(self) -> list[HeartbeatRecord]:
        """Return all that can be read, without their output."""
        return await self._reader.run(read_heartbeats)

    async def heartbeat_output(self, name: str) -> bytes:
        """Return what its last ping brought along."""
        return await self._reader.run(partial(read_output, name=name))

    async def forget_heartbeat(self, name: str) -> None:
        """Remove it with all that is known of it."""
        await self._writer.run_errand(partial(remove_heartbeat, name=name))

    def record(self, verdict: Verdict) -> asyncio.Future[None]:
        """Take the verdict at once; the future is done once it is committed and fsynced."""
        return self._writer.submit(marking_of(verdict))

    def lease(self, envelope_ids: Collection[int]) -> asyncio.Future[None]:
        """Note that just these may be under way; the future is done once that is durable."""
        return self._writer.submit(lease_of(envelope_ids))

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Return envelopes that are due, in the order to send them."""
        return await self._reader.run(partial(self._queue_reads.due, query=query))

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime | None = None
    ) -> list[QueuedMail]:
        """Return open envelopes with an id over `after`, in that order, made at or before these running seconds.

        With `unacknowledged_at` those of alerts that somebody sees to at that time are left out.
        """
        query = queue_reads.OverdueQuery(made_before, after, limit, unacknowledged_at)
        return await self._reader.run(partial(self._queue_reads.overdue, query=query))

    async def attachments(self, alert_id: int) -> dict[int, bytes]:
        """Return the contents of the alert's attachments by their number, from 0; one that is lost is missing."""
        return await self._reader.run(partial(read_attachments, alert_id=alert_id))

    async def oldest_open(self) -> datetime | None:
        """Return since when the open envelope that waits longest has been waiting, None if there is none."""
        return await self._reader.run(queue_reads.read_oldest_open)

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return the lowest running seconds among the open envelopes of this severity or above, None without any.

        Those of alerts that somebody sees to at the time given are left out.
        """
        read = partial(queue_reads.read_oldest_waiting, at_least=at_least, unacknowledged_at=unacknowledged_at)
        return await self._reader.run(read)

    async def mail(self, envelope_id: int) -> QueuedMail | None:
        """Return the mail, whatever its state, None if it is not (or no longer) known."""
        read = partial(queue_reads.read_mails, ids=[envelope_id], letterheads=self._letterheads)
        mails = await self._reader.run(read)
        return mails[0] if mails else None

    async def acknowledge(self, alert_id: int, event: AckEvent) -> bool:
        """Add the event; False if the alert is not (or no longer) known."""
        return await self._writer.run_errand(partial(add_events, rows=[ack_row(alert_id, event)]))

    async def acknowledged(self, now: datetime) -> dict[int, datetime | None]:
        """Return the alerts whose acknowledgement holds, and until when, in the order of the acknowledgements."""
        return await self._reader.run(partial(read_standing, now=now))

    async def find(self, alert_id: int) -> AlertReport | None:
        """Return the alert and its mails, None if it is not (or no longer) known."""
        return await self._reader.run(
            lambda connection: archive_reads.read_report(connection, alert_id, self._letterheads)
        )

    async def page(
        self, *, before: int | None, limit: int, state: EnvelopeState | None, severity: Severity | None
    ) -> AlertPage:
        """Return alerts older than `before`, newest first; many short reads where few alerts match."""
        found: list[AlertSummary] = []
        position: int | None = MAX_ID if before is None else before
        while position is not None and len(found) < limit:
            query = archive_reads.PageQuery(position, limit - len(found), state, severity)
            page = await self._reader.run(partial(archive_reads.read_page, query=query))
            found.extend(page.alerts)
            position = page.next_before
        return AlertPage(tuple(found), next_before=position)

    async def dead_letters(self, *, before: int | None, limit: int) -> DeadLetterPage:
        """Return mails with an envelope id under `before` that failed for some recipient, newest first."""
        position = MAX_ID if before is None else before
        return await self._reader.run(
            lambda connection: dead_letters.read_dead_letters(connection, position, limit, self._letterheads)
        )

    async def retry(self, number: int, start: FreshStart) -> bool:
        """Let the recipients that failed wait for an attempt again; False if it is no dead letter."""
        with self._room_for(1):
            change = Reopening(partial(dead_letters.retry_named, number=number, start=start))
            return bool(await self._writer.submit(change))

    async def retry_some(self, limit: int, start: FreshStart, *, after: int = 0) -> RetryStep:
        """Do so for up to `limit` dead letters with an envelope id over `after`, the oldest first."""
        count = min(limit, max(1, self._room))  # without any room the one is refused
        with self._room_for(count):
            change = Reopening(partial(dead_letters.retry_oldest, after=after, limit=count, start=start))
            ids: list[int] = await self._writer.submit(change)
        return RetryStep(retried=len(ids), after=ids[-1] if len(ids) == count else None)

    async def drop(self, number: int, at: datetime) -> bool:
        """Give up the recipients that failed; False if it is no dead letter."""
        return await self._writer.run_errand(partial(dead_letters.drop, number=number, at=at))

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number under which this letterhead is stored, storing it if it is new."""
        body = encode_letterhead(letterhead)

        def store(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT OR IGNORE INTO letterheads (body) VALUES (?)", (body,))
            return int(connection.execute("SELECT id FROM letterheads WHERE body = ?", (body,)).fetchone()[0])

        return await self._writer.run_errand(store)

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Note that an alarm is raised for `cause`, unless one was within `quiet`; return whether it was noted."""
        return await self._writer.run_errand(partial(note_alarm, cause=cause, at=at, quiet=quiet))

    async def prune_step(self, cutoff: datetime, made_before: int, after: int) -> PruneStep:
        """Remove some of the alerts over `after` finished before `cutoff` and made before these running seconds."""
        step = partial(pruning.prune_step, cutoff=cutoff, made_before=made_before, after=after)
        return await self._writer.run_errand(step)

    async def begin_run(self, at: datetime) -> tuple[int, PreviousRuns]:
        """Record a start; return its number, and what is known of the runs before."""
        return await self._writer.run_errand(lambda connection: runs.begin_run(connection, at))

    async def mark_noticed(self, run: int) -> None:
        """Record that this start was announced by mail."""
        await self._writer.run_errand(lambda connection: runs.mark_noticed(connection, run))

    async def end_run(self, run: int, at: datetime) -> None:
        """Record that the run ended cleanly."""
        await self._writer.run_errand(lambda connection: runs.end_run(connection, run, at))

    async def keep_clocks(self, *, usable_seconds: int, running_seconds: int, at: datetime) -> None:
        """Record for how long a relay has been usable and the daemon running, in all runs together, and the time."""
        clocks = {"usable_seconds": usable_seconds, "running_seconds": running_seconds, "kept_at": to_ms(at)}

        def store(connection: sqlite3.Connection) -> None:
            connection.executemany("UPDATE meta SET value = ? WHERE name = ?", [(v, k) for k, v in clocks.items()])

        await self._writer.run_errand(store)

    async def flush(self) -> None:
        """Return once all that was handed over before is committed. Raises JournalUnavailable when it cannot be."""
        await self._writer.flush()

    async def close(self) -> None:
        """Commit what is pending and close both connections; then the one file holds all."""
        if self._closed:
            return
        self._closed = True
        await self._check.close()
        # Whichever is the last moves the write-ahead log into the file, if it may write.
        parts = (self._writer, self._reader) if self.broken.done() else (self._reader, self._writer)
        for part in parts:
            await part.close()
