"""The background check: it finds what no mail has needed yet, and never holds up the end."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.errors import JournalCorrupt
from app.storage import background_check
from app.storage.background_check import check
from app.storage.database import JOURNAL_FILE, Mode
from app.storage.journal import SqliteJournal
from app.storage.pages import PAGE_BYTES
from tests.support.factories import LETTERHEAD
from tests.support.sqlite_desk import HANG, SqliteDesk

LEAF = "SELECT min(pageno) FROM dbstat WHERE name = 'alerts' AND pagetype = 'leaf'"  # not the last, which a start reads


async def filled(folder: Path) -> SqliteDesk:
    """Return an open journal that has a few hundred pages."""
    journal = SqliteJournal(folder, mode=Mode.LIVE, backlog_limit=10_000)
    desk = SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    await desk.post(200, content="x" * 3000)
    return desk


def damage(folder: Path) -> None:
    """Overwrite one page of alerts in the file of a journal that is closed."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        number = connection.execute(LEAF).fetchone()[0]
    with (folder / JOURNAL_FILE).open("r+b") as file:
        file.seek((number - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)


async def test_a_journal_that_is_well_passes(desk: SqliteDesk, tmp_path: Path) -> None:
    """Nothing is said of a whole file, in use or not."""
    await desk.post()
    check(tmp_path, stop=lambda: False)
    assert not desk.journal.broken.done()


async def test_damage_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal ends with JournalCorrupt some time after the start, though nothing has read the page."""
    await (await filled(tmp_path)).journal.close()
    damage(tmp_path)
    monkeypatch.setattr(background_check, "FIRST_AFTER", timedelta(milliseconds=1))
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=10_000)
    async with asyncio.timeout(HANG):
        assert isinstance(await journal.broken, JournalCorrupt)
    await journal.close()


async def test_a_check_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check under way gives way at once, and says nothing of damage."""
    monkeypatch.setattr(background_check, "STEPS", 10)
    await (await filled(tmp_path)).journal.close()
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        check(tmp_path, stop=lambda: True)


async def test_no_check_before_serving(tmp_path: Path) -> None:
    """A start is not held up by a scan: the first check comes minutes later."""
    await (await filled(tmp_path)).journal.close()
    damage(tmp_path)
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=10_000)
    assert journal.open_count == 200
    await journal.close()
    assert not journal.broken.done()
    assert timedelta(minutes=1) <= background_check.FIRST_AFTER
