"""The one writer: a thread with a connection, and group commit in front of it.

While a commit runs, what arrives meanwhile gathers and goes into the next one together: a hundred posts
at once share one fsync. Only one commit is in flight at a time.

On a full disk only the changes that wait are committed, with the room of the reserve; all others fail until a
probe has made the reserve whole again. After a fault that lasts nothing is committed any more.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, TypeVar

import structlog

from app.domain.errors import JournalCorrupt, JournalFailed, JournalUnavailable
from app.storage.changes import Change, Errand, opened_by
from app.storage.database import CHECKPOINT_PAGES
from app.storage.faults import is_full, lasting_fault, may_be_full
from app.storage.reserve import Reserve
from app.storage.transactions import commit_group

T = TypeVar("T")

log = structlog.get_logger()

PROBE_EVERY = timedelta(seconds=5)
PROBE_BYTES = 65_536  # more than a page or two, or a nearly full disk would pass the probe and fail the next post
MAX_GROUP = 2000  # changes in one transaction, for a post must not wait long; the intake bounds their bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """A change, and the future of who waits for its commit."""

    change: Change
    done: "asyncio.Future[Any]" = field(repr=False)

    def succeed(self, result: Any) -> None:
        """Tell who waits; he may have gone."""
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        """Tell who waits; he may have gone."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes into one transaction. A probe's success ends the fault."""

    submissions: Sequence[Submission]
    is_probe: bool = False

    @property
    def changes(self) -> list[Change]:
        """What to commit, in order."""
        return [submission.change for submission in self.submissions]


NOTHING = Batch(())


class GroupWriter:
    """Commits changes durably, in the order in which they were submitted.

    `fault` says why the last commit failed, and is empty while the journal can be written. `broken` is done,
    with the error as its result, once nothing may be written any more.
    """

    def __init__(self, connection: sqlite3.Connection, *, open_count: int, reserve: Reserve) -> None:
        """Take over `connection`; `open_count` is the number of open envelopes in it."""
        self._connection = connection
        self._reserve = reserve
        self._loop = asyncio.get_running_loop()
        self._pending: list[Submission] = []
        self._busy = False
        self._busy_since = 0.0
        self._on_hold = False  # not even what waits can be committed before the next probe
        self._probe_is_set = False
        self._probe_is_due = False
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()
        self.open_count = open_count
        self.fault = ""
        self.broken: asyncio.Future[JournalFailed | JournalCorrupt] = self._loop.create_future()

    def submit(self, change: Change) -> "asyncio.Future[Any]":
        """Return a future that is done once the change is committed and fsynced.

        It fails with JournalUnavailable when the change cannot be committed. One that `waits` is kept instead until
        the journal can be written again: an outcome that was seen must not be forgotten. It fails only for good.
        """
        submission = Submission(change, self._loop.create_future())
        if self.broken.done() or (self.fault and not change.waits):
            submission.fail(self._refusal())
            return submission.done
        self._pending.append(submission)
        if not self._on_hold:
            self._begin_commit()
        return submission.done

    async def run_errand(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `run` returns, once what it did is committed and fsynced. Raises as `submit` fails."""
        result: T = await self.submit(Errand(run))
        return result

    def note_fault(self, error: Exception) -> None:
        """Commit nothing more if the error, which a read or a check has met, says that the file is damaged."""
        fault = lasting_fault(error)
        if isinstance(fault, JournalCorrupt):
            self._break(fault)

    async def flush(self) -> None:
        """Return once all that was submitted before is committed. Raises JournalUnavailable when it cannot be."""
        await self.submit(Errand(_nothing))  # changes are committed in order: behind this one none is left

    async def close(self) -> None:
        """Commit what is pending, end the thread and close the connection."""
        with contextlib.suppress(JournalUnavailable):
            await self.flush()
        if self.fault and not self.broken.done():
            self._batches.put(Batch(self._pending))  # a last try, for outcomes that were seen
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    @property
    def stuck_for(self) -> timedelta:
        """For how long the commit under way has been running: a disk that hangs gives no error."""
        return timedelta(seconds=self._loop.time() - self._busy_since) if self._busy else timedelta()

    def _begin_commit(self) -> None:
        if not self._busy and not self.broken.done():
            self._busy = True
            self._busy_since = self._loop.time()
            # Not at once: other requests that this turn of the loop brings share the commit.
            self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        probes = self._take_probe()
        taken, self._pending = self._pending[:MAX_GROUP], self._pending[MAX_GROUP:]
        self._busy = bool(probes or taken)
        if self._busy:
            self._busy_since = self._loop.time()
            self._batches.put(Batch([*taken, *probes], is_probe=bool(probes)))

    # In the thread

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                results, fault = self._commit(batch)
            except Exception as error:  # noqa: BLE001 - the top of the thread: else nothing would be answered again
                if (broken := self._what_is_broken(error)) is not None:
                    self._call_back(self._break, broken, batch)
                    return  # another commit must not even be tried
                self._call_back(self._failed, batch, error)
            else:
                self._call_back(self._committed, batch, results, fault)

    def _commit(self, batch: Batch) -> tuple[list[Any], Exception | None]:
        """Return a result or an exception for each change, and the full disk that those that wait were spared."""
        try:
            if batch.is_probe:
                self._refill_reserve()
            return commit_group(self._connection, batch.changes), None
        except (sqlite3.Error, OSError) as error:
            if not self._is_out_of_room(error):
                raise
            return self._commit_from_reserve(batch.changes, error), error

    def _commit_from_reserve(self, changes: Sequence[Change], error: Exception) -> list[Any]:
        """Commit what waits in the room that the reserve gives up; the rest gets the error."""
        waiting = [change for change in changes if change.waits]
        if not waiting:
            return [error] * len(changes)  # the reserve is not for them, and once it is free others may take it
        self._spend_reserve()
        results = iter(commit_group(self._connection, waiting))
        return [next(results) if change.waits else error for change in changes]

    def _spend_reserve(self) -> None:
        # While the reserve is whole this takes no room, and lets the log begin anew in the room that it has.
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.OperationalError as error:
            if not self._is_out_of_room(error):
                raise
        # Later it would take the reserve for the pages of alerts that are in the log already.
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._reserve.release()

    def _refill_reserve(self) -> None:
        self._reserve.fill()
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def _what_is_broken(self, error: Exception) -> JournalFailed | JournalCorrupt | None:
        return None if self._is_out_of_room(error) else lasting_fault(error)

    def _is_out_of_room(self, error: Exception) -> bool:
        return is_full(error) or (may_be_full(error) and self._reserve.disk_is_full())

    def _call_back(self, method: Any, *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(method, *arguments)

    # Back in the loop

    def _committed(self, batch: Batch, results: list[Any], fault: Exception | None) -> None:
        if fault is not None:
            self._begin_fault(fault)
        elif batch.is_probe:
            log.info("journal_recovered")
            self.fault = ""
        for submission, result in zip(batch.submissions, results, strict=True):
            if isinstance(result, Exception):
                submission.fail(self._refusal() if result is fault else result)
            else:
                self.open_count += opened_by(submission.change, result)
                submission.succeed(result)
        if not self.broken.done():
            self._dispatch()

    def _failed(self, batch: Batch, error: Exception) -> None:
        if self.broken.done():
            self._break(self.broken.result(), batch)
            return
        self._pending = [*batch.submissions, *self._pending]
        self._busy = False
        self._on_hold = True
        self._begin_fault(error)

    def _begin_fault(self, error: Exception) -> None:
        fault = f"the journal cannot be written: {'the disk is full' if is_full(error) else error}"
        if fault != self.fault:  # not at every probe
            log.error("journal_write_failed", error=str(error), code=getattr(error, "sqlite_errorname", ""))
        self.fault = fault
        waiting, self._pending = self._pending, []
        for submission in waiting:
            if submission.change.waits:
                self._pending.append(submission)
            else:
                submission.fail(self._refusal())
        if not self._probe_is_set:
            self._probe_is_set = True
            self._loop.call_later(PROBE_EVERY.total_seconds(), self._probe)

    def _probe(self) -> None:
        """Try a real commit: health must come back without traffic."""
        self._probe_is_due = True
        self._on_hold = False
        self._begin_commit()

    def _take_probe(self) -> list[Submission]:
        if not self._probe_is_due:
            return []
        self._probe_is_due = self._probe_is_set = False
        probe = Submission(Errand(_write_probe), self._loop.create_future())
        probe.done.add_done_callback(lambda done: done.exception())  # nobody waits for it
        return [probe]

    def _break(self, fault: JournalFailed | JournalCorrupt, batch: Batch = NOTHING) -> None:
        """Commit nothing from now on. What waits is lost to the journal: its leases tell the next start of it."""
        if not self.broken.done():
            self.fault = str(fault)
            self.broken.set_result(fault)
        self._busy = False
        for submission in [*batch.submissions, *self._pending]:
            submission.fail(self._refusal())
        self._pending = []

    def _refusal(self) -> JournalUnavailable:
        is_failed = self.broken.done() and isinstance(self.broken.result(), JournalFailed)
        return (JournalFailed if is_failed else JournalUnavailable)(self.fault, retry_after=PROBE_EVERY)


def _write_probe(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET value = zeroblob(?) WHERE name = 'probe'", (PROBE_BYTES,))


def _nothing(_connection: sqlite3.Connection) -> None:
    """Commit nothing: only the order matters."""
