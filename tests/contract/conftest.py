"""Every journal goes through the same tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.certificates import authority
from tests.support.desk import Desk, Journal
from tests.support.factories import LETTERHEAD, Factory
from tests.support.memory_journal import MemoryJournal

__all__ = ["authority"]

BACKLOG_LIMIT = 1000


def sqlite_journal(directory: Path) -> Journal:
    """Open the embedded journal."""
    return SqliteJournal(directory, mode=Mode.LIVE, backlog_limit=BACKLOG_LIMIT)


def memory_journal(directory: Path) -> Journal:
    """Make the one that other tests use."""
    return MemoryJournal(backlog_limit=BACKLOG_LIMIT)


@pytest.fixture(params=[sqlite_journal, memory_journal], ids=["sqlite", "memory"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """A new journal of each kind, with one letterhead."""
    opened: Callable[[Path], Journal] = request.param
    journal = opened(tmp_path)
    yield Desk(journal, Factory(letterhead_id=await journal.keep(LETTERHEAD)))
    await journal.close()
