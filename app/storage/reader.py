"""The one reader: a thread with a read-only connection. Reads never wait for a commit, nor hold one up."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.domain.errors import JournalUnavailable
from app.storage.faults import lasting_fault

T = TypeVar("T")


class Reader:
    """Runs short reads, one after the other, off the event loop."""

    def __init__(self, connection: sqlite3.Connection, *, on_fault: Callable[[sqlite3.DatabaseError], None]) -> None:
        """Take over `connection`. `on_fault` is told what SQLite says when a read fails; it returns at once."""
        self._connection = connection
        self._on_fault = on_fault
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `read` returns. It must fetch all of its rows: no transaction outlives it.

        Raises JournalUnavailable when the file is damaged or the disk fails.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, read, self._connection)
        except sqlite3.DatabaseError as error:
            self._on_fault(error)
            if lasting_fault(error) is None:
                raise
            # As for a refused write: of damage the daemon ends, and who asked can ask the next run.
            raise JournalUnavailable(f"the journal cannot be read: {error}") from error

    async def close(self) -> None:
        """End the thread and close the connection."""
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()
