"""The one writer: a thread with a connection, and group commit in front of it.

While a commit runs, what arrives meanwhile gathers and goes into the next one together: a hundred posts
at once share one fsync. Only one commit is in flight at a time.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import structlog

from app.domain.errors import JournalUnavailable
from app.storage.changes import Change, Errand, Marking, apply, opened_by

log = structlog.get_logger()

PROBE_EVERY = timedelta(seconds=5)
PROBE_BYTES = 65_536  # more than a page or two, or a nearly full disk would pass the probe and fail the next post
MAX_GROUP = 2000  # changes in one transaction, for a post must not wait long; the intake bounds their bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """A change, and the future of who waits for its commit."""

    change: Change
    done: "asyncio.Future[Any]" = field(repr=False)


class GroupWriter:
    """Commits changes durably, in the order in which they were submitted."""

    def __init__(self, connection: sqlite3.Connection, *, open_count: int) -> None:
        """Take over `connection`; `open_count` is the number of open envelopes in it."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._pending: list[Submission] = []
        self._busy = False
        self._busy_since = 0.0
        self._batches: SimpleQueue[list[Submission] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()
        self.open_count = open_count
        self.fault = ""  # why the last commit failed, empty while the journal can be written

    def submit(self, change: Change) -> "asyncio.Future[Any]":
        """Return a future that is done once the change is committed and fsynced.

        An acceptance or an errand fails with JournalUnavailable when it cannot be committed. A marking waits
        until the journal can be written again: an outcome that was seen must not be forgotten.
        """
        done = self._loop.create_future()
        if self.fault and not isinstance(change, Marking):
            done.set_exception(JournalUnavailable(self.fault, retry_after=PROBE_EVERY))
            return done
        self._pending.append(Submission(change, done))
        if not self._busy:
            self._busy = True
            # Not at once: other requests that this turn of the loop brings share the commit.
            self._loop.call_soon(self._dispatch)
        return done

    async def close(self) -> None:
        """Commit what is pending, end the thread and close the connection."""
        with contextlib.suppress(JournalUnavailable):
            await self.submit(Errand(_nothing))  # changes are committed in order: behind this one none is left
        if self.fault:
            self._batches.put(self._pending)  # a last try, for outcomes that were seen
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _dispatch(self) -> None:
        batch, self._pending = self._pending[:MAX_GROUP], self._pending[MAX_GROUP:]
        if batch:
            self._busy_since = self._loop.time()
            self._batches.put(batch)
        else:
            self._busy = False

    @property
    def stuck_for(self) -> timedelta:
        """For how long the commit under way has been running: a disk that hangs gives no error."""
        return timedelta(seconds=self._loop.time() - self._busy_since) if self._busy else timedelta()

    # In the thread

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                results = self._commit_batch([submission.change for submission in batch])
            except Exception as error:  # noqa: BLE001 - the top of the thread: else nothing would be answered again
                self._call_back(self._failed, batch, error)
            else:
                self._call_back(self._committed, batch, results)

    def _commit_batch(self, changes: Sequence[Change]) -> list[Any]:
        """Return a result or an exception for each change: a poisoned one does not take the others with it."""
        try:
            return self._commit(changes, apply)
        except Exception as error:
            if is_storage_fault(error):
                raise
        return self._commit(changes, apply_apart)

    def _call_back(self, method: Any, *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(method, *arguments)

    def _commit(
        self, changes: Sequence[Change], run: Callable[[sqlite3.Connection, Sequence[Change]], list[Any]]
    ) -> list[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results = run(self._connection, changes)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    # Back in the loop

    def _committed(self, batch: list[Submission], results: list[Any]) -> None:
        if self.fault:
            log.info("journal_recovered")
            self.fault = ""
        for submission, result in zip(batch, results, strict=True):
            failed = isinstance(result, Exception)
            if not failed:
                self.open_count += opened_by(submission.change)
            if submission.done.done():
                continue  # who asked has gone
            if failed:
                submission.done.set_exception(result)
            else:
                submission.done.set_result(result)
        self._dispatch()

    def _failed(self, batch: list[Submission], error: Exception) -> None:
        fault = f"the journal cannot be written: {error}"
        if fault != self.fault:  # not at every probe
            log.error("journal_write_failed", error=str(error), code=getattr(error, "sqlite_errorname", ""))
        self.fault = fault
        waiting = batch + self._pending
        self._pending = [submission for submission in waiting if isinstance(submission.change, Marking)]
        for submission in waiting:
            if not isinstance(submission.change, Marking) and not submission.done.done():
                submission.done.set_exception(JournalUnavailable(self.fault, retry_after=PROBE_EVERY))
        self._loop.call_later(PROBE_EVERY.total_seconds(), self._probe)

    def _probe(self) -> None:
        """Try a real commit: health must come back without traffic."""
        probe = Submission(Errand(_write_probe), self._loop.create_future())
        probe.done.add_done_callback(lambda done: done.exception())  # nobody waits for it
        self._batches.put([probe, *self._pending[:MAX_GROUP]])
        self._pending = self._pending[MAX_GROUP:]


def apply_apart(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    """Run each change on its own in the open transaction; one that is poisoned is undone, and gives its error."""
    results: list[Any] = []
    for change in changes:
        connection.execute("SAVEPOINT apart")
        try:
            results += apply(connection, [change])
        except Exception as error:
            if is_storage_fault(error):
                raise
            connection.execute("ROLLBACK TO apart")
            results.append(error)
        connection.execute("RELEASE apart")
    return results


def is_storage_fault(error: Exception) -> bool:
    """Tell a fault of the disk or the file, which every change would meet, from a fault of one change."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError
    )


def _write_probe(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET value = zeroblob(?) WHERE name = 'probe'", (PROBE_BYTES,))


def _nothing(_connection: sqlite3.Connection) -> None:
    """Commit nothing: only the order matters."""
