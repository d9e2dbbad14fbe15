"""What was accepted is there after every kind of end."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.outcome import Outcome
from app.domain.report import AlertReport
from app.storage.database import JOURNAL_FILE, Mode
from app.storage.journal import SqliteJournal
from app.storage.reserve import RESERVE_FILE
from tests.support.clock import NOW
from tests.support.desk import envelope_ids
from tests.support.factories import AMBIGUOUS, DEFERRED, FULL, LETTERHEAD, REFUSED, SENT, Batch, due_query, verdict_on
from tests.support.sqlite_desk import HANG, SqliteDesk

ROOT = Path(__file__).parents[3]
# Accepts alerts one by one and tells each id only once it was accepted, until it is killed.
POSTER = """
import asyncio, sys
from pathlib import Path
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.factories import LETTERHEAD
from tests.support.sqlite_desk import SqliteDesk

async def post():
    journal = SqliteJournal(Path(sys.argv[1]), mode=Mode.LIVE, backlog_limit=10**6)
    desk = SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    while True:
        batch = await desk.post()
        print(batch.alerts[0].id, flush=True)

asyncio.run(post())
"""


async def opened(directory: Path) -> SqliteDesk:
    """Open the journal, new or not."""
    journal = SqliteJournal(directory, mode=Mode.LIVE, backlog_limit=100)
    return SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))


async def found_after_restart(desk: SqliteDesk, directory: Path, batch: Batch) -> AlertReport | None:
    """Close the journal, open it again, and look for the first alert."""
    await desk.journal.close()
    again = await opened(directory)
    report = await again.journal.find(batch.alerts[0].id)
    await again.journal.close()
    return report


async def test_what_was_accepted_survives_a_restart(tmp_path: Path) -> None:
    """The alert comes back in every field."""
    desk = await opened(tmp_path)
    batch = await desk.post(alert=FULL)
    report = await found_after_restart(desk, tmp_path, batch)
    assert report is not None
    assert report.accepted == batch.alerts[0]
    assert report.envelopes[0].letterhead == LETTERHEAD


@pytest.mark.parametrize("outcome", [SENT, REFUSED, DEFERRED, AMBIGUOUS], ids=lambda outcome: type(outcome).__name__)
async def test_an_outcome_survives_a_restart(tmp_path: Path, outcome: Outcome) -> None:
    """Each recipient stands where he stood."""
    desk = await opened(tmp_path)
    batch = await desk.post()
    verdict = verdict_on(batch.envelopes[0].id, outcome)
    await desk.journal.record(verdict)
    report = await found_after_restart(desk, tmp_path, batch)
    assert report is not None
    assert report.envelopes[0].deliveries[0] == verdict.deliveries[0]
    assert (report.envelopes[0].state, report.envelopes[0].due_at) == (verdict.state, verdict.due_at)


async def test_the_close_commits_what_is_pending(tmp_path: Path) -> None:
    """Nothing that was submitted before the end is lost by it."""
    desk = await opened(tmp_path)
    (envelope,) = envelope_ids(await desk.post())
    mark = desk.journal.record(verdict_on(envelope))
    posts = [asyncio.create_task(desk.post()) for _ in range(10)]
    await asyncio.sleep(0)
    await desk.journal.close()
    await asyncio.gather(mark, *posts)
    again = await opened(tmp_path)
    assert await again.open_counts() == {10}
    await again.journal.close()


async def test_after_a_clean_end_one_file_holds_everything(tmp_path: Path) -> None:
    """Whoever copies journal.sqlite3 from a stopped daemon has a whole backup."""
    desk = await opened(tmp_path)
    await desk.post(alert=FULL)
    await desk.journal.close()
    assert {path.name for path in tmp_path.iterdir()} == {JOURNAL_FILE, RESERVE_FILE}


async def test_what_is_kept_for_good(tmp_path: Path) -> None:
    """The MAC key, the clocks and the last id outlive a restart."""
    desk = await opened(tmp_path)
    last = envelope_ids(await desk.post())[-1]
    await desk.journal.keep_clocks(usable_seconds=4711, running_seconds=5000, at=NOW)
    await desk.journal.close()
    again = await opened(tmp_path)
    assert again.journal.mac_key == desk.journal.mac_key
    assert len(again.journal.mac_key) == 32
    assert (again.journal.usable_seconds, again.journal.running_seconds, again.journal.kept_at) == (4711, 5000, NOW)
    assert again.journal.last_id == last
    await again.journal.close()


async def test_every_commit_is_synced(tmp_path: Path) -> None:
    """Write-ahead log with FULL: a commit is on the disk when it returns (SQLite, PRAGMA synchronous)."""
    desk = await opened(tmp_path)
    assert await desk.ask(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert await desk.ask(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (2,)
    await desk.journal.close()


async def test_what_was_accepted_survives_kill_9(tmp_path: Path) -> None:
    """Every id that was told before the kill is in the journal, ready to be sent."""
    with subprocess.Popen(
        [sys.executable, "-c", POSTER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as poster:
        assert poster.stdout is not None
        told = [int(poster.stdout.readline()) for _ in range(50)]
        os.kill(poster.pid, signal.SIGKILL)
        told += map(int, poster.stdout.read().split())
        poster.wait(HANG)
    desk = await opened(tmp_path)
    due = {mail.accepted.id for mail in await desk.journal.due(due_query(until=NOW, count=100_000))}
    assert due >= set(told)
    assert await desk.open_counts() == {len(due)}
    await desk.journal.close()
