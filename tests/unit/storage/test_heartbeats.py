"""What becomes of heartbeats in the journal's file: one that is damaged spoils no other, and a rescue keeps them."""

from pathlib import Path

import pytest

from app.domain.heartbeat import HeartbeatRecord, Pulse
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from app.storage.rescue import rescue_journal
from tests.support.clock import NOW
from tests.support.factories import LETTERHEAD
from tests.support.heartbeat_bench import BACKUP, a_heartbeat
from tests.support.sqlite_desk import SqliteDesk

KEPT = HeartbeatRecord(BACKUP, Pulse(since=NOW))
OTHER = HeartbeatRecord(a_heartbeat(name="other"), Pulse(since=NOW), b"x" * 100_000)

UPDATE = "UPDATE heartbeats SET body = {} WHERE name = 'other'"
UNREADABLE = {
    "no JSON": UPDATE.format("'{'"),
    "of another form": UPDATE.format("'[]'"),
    "a time that is none": UPDATE.format("""replace(body, '"since":', '"since":9999')"""),
    "a state that is none": UPDATE.format("""replace(body, '"new"', '"old"')"""),
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_one_that_cannot_be_read_spoils_no_other(desk: SqliteDesk, damage: str) -> None:
    """The daemon starts, and watches the rest."""
    await desk.journal.accept([], [], [], [KEPT, OTHER])
    await desk.ask(lambda connection: connection.execute(damage).rowcount)
    assert await desk.journal.heartbeats() == [KEPT]


async def test_a_rescue_keeps_them(tmp_path: Path) -> None:
    """With their output, or without any."""
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=10)
    await journal.accept([], [], [], [KEPT, OTHER])
    await journal.close()
    rescue_journal(tmp_path, Mode.LIVE, NOW, letterhead=LETTERHEAD)
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=10)
    assert {record.heartbeat.name for record in await journal.heartbeats()} == {"backup", "other"}
    assert [await journal.heartbeat_output(name) for name in ("backup", "other")] == [b"", OTHER.output]
    await journal.close()
