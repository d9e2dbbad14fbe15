"""Looks for damage in the journal's file now and then, long before a mail needs the page that is damaged.

It reads with a connection of its own, on a thread of its own, and gives way at once when the daemon ends.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from app.storage.database import open_reader

log = structlog.get_logger()

FIRST_AFTER = timedelta(minutes=10)  # a start has better things to do, and a restart loop must not check all the time
CHECK_EVERY = timedelta(days=1)
STEPS = 100_000  # of SQLite's machine between two looks at whether to stop: about a millisecond


class BackgroundCheck:
    """Checks the whole file some minutes after the start, and then daily."""

    def __init__(self, data_dir: Path, *, on_fault: Callable[[sqlite3.DatabaseError], None]) -> None:
        """`on_fault` is called in the running event loop with what a check that fails has met."""
        self._data_dir = data_dir
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-check", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """End the thread, and a check that is under way."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        pause = FIRST_AFTER
        while not self._stop.wait(pause.total_seconds()):
            pause = CHECK_EVERY
            try:
                check(self._data_dir, stop=self._stop.is_set)
            except sqlite3.DatabaseError as error:
                if not self._stop.is_set():
                    log.warning("journal_check_failed", error=str(error))
                    self._loop.call_soon_threadsafe(self._on_fault, error)
            else:
                log.info("journal_checked")


def check(data_dir: Path, *, stop: Callable[[], bool]) -> None:
    """Read the whole file; raises sqlite3.DatabaseError when it is damaged, or `stop` says so in the middle."""
    connection = open_reader(data_dir)
    try:
        connection.set_progress_handler(stop, STEPS)
        finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        connection.close()
    if finding != "ok":
        raise Damage(finding)


class Damage(sqlite3.DatabaseError):
    """What a check found, as the error that a read of the same page would have met."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    sqlite_errorname = "SQLITE_CORRUPT"
