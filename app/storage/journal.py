"""The journal on SQLite: what the ports ask for, made of the writer's changes and the reader's reads."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.domain.alert import AcceptedAlert, Severity
from app.domain.envelope import Envelope, EnvelopeState, Letterhead, QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.ids import MAX_ID
from app.domain.ports import DueQuery, PruneStep
from app.domain.report import AlertPage, AlertReport, AlertSummary
from app.domain.runs import PreviousRuns
from app.domain.verdict import Verdict
from app.storage import archive_reads, pruning, queue_reads, runs
from app.storage.changes import Acceptance, Errand, Marking
from app.storage.codec import encode_alert, encode_letterhead, to_ms
from app.storage.database import Mode, open_reader, open_writer
from app.storage.reader import Reader
from app.storage.rows import Row
from app.storage.writer import GroupWriter

T = TypeVar("T")

STUCK_AFTER = timedelta(seconds=10)  # a commit takes milliseconds, on a busy disk a second or two


class SqliteJournal:
    """The embedded journal. Open it inside a running event loop, after the directory's lock is held."""

    def __init__(self, data_dir: Path, *, mode: Mode, backlog_limit: int) -> None:
        """`backlog_limit` is the number of open envelopes beyond which none is taken.

        Raises ConfigurationError, and JournalUnavailable when the disk is full or fails.
        """
        connection = open_writer(data_dir, mode)
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.mac_key: bytes = meta["mac_key"]
        self.usable_seconds: int = meta["usable_seconds"]
        self.last_id: int = connection.execute(
            "SELECT max(coalesce((SELECT max(id) FROM alerts), 0), coalesce((SELECT max(id) FROM envelopes), 0))"
        ).fetchone()[0]
        self._backlog_limit = backlog_limit
        self._accepting = 0
        self._closed = False
        self._writer = GroupWriter(connection, open_count=meta["open"])
        self._reader = Reader(open_reader(data_dir))
        self._letterheads = queue_reads.LetterheadCache()
        self._queue_reads = queue_reads.QueueReads(self._letterheads)

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

    def _backlog_is_full(self) -> str:
        return f"{self.open_count} mails wait already (backlog_limit {self._backlog_limit}); see why they do not leave"

    async def accept(self, alerts: Sequence[AcceptedAlert], envelopes: Sequence[Envelope]) -> None:
        """Return once all is committed and fsynced. Raises JournalUnavailable, then nothing was taken."""
        if self.open_count + self._accepting + len(envelopes) > self._backlog_limit:
            raise JournalUnavailable(self._backlog_is_full())
        change = Acceptance(
            alerts=[(a.id, to_ms(a.received_at), encode_alert(a.alert)) for a in alerts],
            envelopes=[_envelope_row(envelope) for envelope in envelopes],
        )
        self._accepting += len(envelopes)
        try:
            await self._writer.submit(change)
        finally:
            self._accepting -= len(envelopes)

    def record(self, verdict: Verdict) -> asyncio.Future[None]:
        """Take the verdict at once; the future is done once it is committed and fsynced."""
        finished = None if verdict.finished_at is None else to_ms(verdict.finished_at)
        envelope = (verdict.envelope_id, verdict.state, to_ms(verdict.due_at), finished, verdict.ambiguous)
        closes = 0 if verdict.state is EnvelopeState.OPEN else 1
        return self._writer.submit(Marking(envelope, _delivery_rows(verdict), closes))

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Return envelopes that are due, in the order to send them."""
        return await self._reader.run(partial(self._queue_reads.due, query=query))

    async def oldest_open(self) -> datetime | None:
        """Return when the oldest open envelope was made, None if there is none."""
        return await self._reader.run(queue_reads.read_oldest_open)

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

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number under which this letterhead is stored, storing it if it is new."""
        body = encode_letterhead(letterhead)

        def store(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT OR IGNORE INTO letterheads (body) VALUES (?)", (body,))
            return int(connection.execute("SELECT id FROM letterheads WHERE body = ?", (body,)).fetchone()[0])

        return await self._errand(store)

    async def prune_step(self, cutoff: datetime, after: int) -> PruneStep:
        """Remove some of the alerts over `after` that were finished before `cutoff`."""
        return await self._errand(lambda connection: pruning.prune_step(connection, cutoff, after))

    async def begin_run(self, at: datetime) -> tuple[int, PreviousRuns]:
        """Record a start; return its number, and what is known of the runs before."""
        return await self._errand(lambda connection: runs.begin_run(connection, at))

    async def mark_noticed(self, run: int) -> None:
        """Record that this start was announced by mail."""
        await self._errand(lambda connection: runs.mark_noticed(connection, run))

    async def end_run(self, run: int, at: datetime) -> None:
        """Record that the run ended cleanly."""
        await self._errand(lambda connection: runs.end_run(connection, run, at))

    async def keep_usable_seconds(self, seconds: int) -> None:
        """Record for how long a relay has been usable, in all runs together."""

        def store(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE meta SET value = ? WHERE name = 'usable_seconds'", (seconds,))

        await self._errand(store)

    async def close(self) -> None:
        """Commit what is pending and close both connections; then the one file holds all."""
        if self._closed:
            return
        self._closed = True
        await self._reader.close()
        await self._writer.close()  # last, because the last one moves the write-ahead log into the file

    async def _errand(self, run: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._writer.submit(Errand(run))
        return result


def _envelope_row(envelope: Envelope) -> Row:
    return (
        envelope.id,
        envelope.alert_id,
        envelope.letterhead_id,
        to_ms(envelope.made_at),
        envelope.severity.rank,
        envelope.usable_seconds,
        to_ms(envelope.due_at),
    )


def _delivery_rows(verdict: Verdict) -> list[Row]:
    return [
        (
            verdict.envelope_id,
            delivery.position,
            delivery.state,
            delivery.attempts,
            to_ms(delivery.last_attempt_at or verdict.due_at),
            delivery.relay,
            delivery.reply,
            delivery.reason,
            delivery.ambiguous,
        )
        for delivery in verdict.deliveries
    ]
