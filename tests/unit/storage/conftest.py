"""An open SQLite journal, and ways to hold up its writer and to look at what it does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.factories import LETTERHEAD
from tests.support.sqlite_desk import SqliteDesk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[SqliteDesk]:
    """A new journal with one letterhead."""
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=100_000)
    yield SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    await journal.close()
