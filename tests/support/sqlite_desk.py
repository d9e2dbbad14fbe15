"""The SQLite journal with its lid off: its writer can be held up, watched, and deprived of room."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from app.storage.changes import Change, Errand
from app.storage.journal import SqliteJournal
from tests.support.desk import Desk
from tests.support.factories import Factory

HANG = 30  # seconds; far beyond what any of these tests takes
COUNT_OPEN = "SELECT count(*) FROM envelopes WHERE state = 0"
STORED_OPEN = "SELECT value FROM meta WHERE name = 'open'"


class SqliteDesk(Desk):
    """A desk that knows what its journal is made of."""

    journal: SqliteJournal

    def __init__(self, journal: SqliteJournal, *, letterhead_id: int) -> None:
        super().__init__(journal, Factory(letterhead_id=letterhead_id, last_id=journal.last_id))

    def submit(self, change: Change) -> "asyncio.Future[Any]":
        """Give the writer a change of any kind."""
        return self.journal._writer.submit(change)

    def ask(self, run: Callable[[sqlite3.Connection], Any]) -> "asyncio.Future[Any]":
        """Run something in the writer's thread and transaction."""
        return self.submit(Errand(run))

    async def value(self, query: str) -> Any:
        """Return the one value that a query gives to the reader."""
        return await self.journal._reader.run(lambda connection: connection.execute(query).fetchone()[0])

    async def open_counts(self) -> set[int]:
        """Return the number of open envelopes by every way to know it."""
        return {self.journal.open_count, await self.value(COUNT_OPEN), await self.value(STORED_OPEN)}

    @contextlib.asynccontextmanager
    async def held_writer(self) -> AsyncIterator[None]:
        """Keep the writer inside a transaction, as a slow disk would; what is submitted meanwhile gathers."""
        entered = asyncio.Event()
        loop = asyncio.get_running_loop()
        may_go_on = threading.Event()

        def hold(_: sqlite3.Connection) -> None:
            loop.call_soon_threadsafe(entered.set)
            may_go_on.wait(HANG)

        holding = self.ask(hold)
        await entered.wait()
        try:
            yield
            await asyncio.sleep(0)  # what the test has begun comes to its submission
        finally:
            may_go_on.set()
        await holding

    async def commits(self) -> list[str]:
        """Return a list that from now on every transaction's end is added to."""
        ends: list[str] = []

        def note(statement: str) -> None:
            if statement in {"COMMIT", "ROLLBACK"}:
                ends.append(statement)

        await self.ask(lambda connection: connection.set_trace_callback(note))
        ends.clear()  # the end of that very transaction
        return ends

    def leave_pages(self, count: int) -> None:
        """Let the file grow by no more than `count` pages: the next great change finds the disk full."""
        connection = self.journal._writer._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + count}")

    def make_room(self) -> None:
        """Let the file grow again."""
        self.journal._writer._connection.execute("PRAGMA max_page_count = 1000000")
