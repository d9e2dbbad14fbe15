"""The writer: durable, in groups, and no change takes another one with it."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.envelope import Envelope
from app.domain.errors import JournalCorrupt, JournalFailed, JournalUnavailable
from app.storage import writer
from app.storage.database import JOURNAL_FILE
from app.storage.reserve import Reserve
from tests.support.desk import envelope_ids
from tests.support.factories import Batch, verdict_on
from tests.support.sqlite_desk import SqliteDesk


async def test_posts_at_once_share_one_commit(desk: SqliteDesk) -> None:
    """What comes while a commit runs goes into the next one together."""
    commits = await desk.commits()
    async with desk.held_writer():
        posts = [asyncio.create_task(desk.post()) for _ in range(100)]
    await asyncio.gather(*posts)
    assert commits == ["COMMIT", "COMMIT"]  # the held one, and one for all


async def test_posts_of_one_turn_share_one_commit(desk: SqliteDesk) -> None:
    """Also on an idle journal, requests that arrive together do not wait for each other's fsync."""
    commits = await desk.commits()
    await asyncio.gather(*(desk.post() for _ in range(100)))
    assert commits == ["COMMIT"]


async def test_outcomes_share_the_commit_of_posts(desk: SqliteDesk) -> None:
    """Acceptances and markings go together."""
    first, second = envelope_ids(await desk.post(2))
    commits = await desk.commits()
    async with desk.held_writer():
        marks = [desk.journal.record(verdict_on(envelope)) for envelope in (first, second)]
        post = asyncio.create_task(desk.post())
    await asyncio.gather(post, *marks)
    assert len(commits) == 2


async def test_a_group_is_bounded(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is committed in several transactions, none is lost."""
    monkeypatch.setattr(writer, "MAX_GROUP", 10)
    commits = await desk.commits()
    await asyncio.gather(*(desk.post() for _ in range(35)))
    assert commits == ["COMMIT"] * 4
    assert await desk.open_counts() == {35}


async def test_a_flush_waits_for_all_that_was_handed_over(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many commits that takes."""
    monkeypatch.setattr(writer, "MAX_GROUP", 2)
    marks = [desk.journal.record(verdict_on(envelope)) for envelope in envelope_ids(await desk.post(5))]
    await desk.journal.flush()
    assert [mark.done() for mark in marks] == [True] * 5


async def test_an_array_is_taken_whole_or_not_at_all(desk: SqliteDesk) -> None:
    """One alert of an array that cannot be stored takes the array with it, and nothing else."""
    batch = desk.make.batch(3)
    alerts = (*batch.alerts[:2], replace(batch.alerts[2], id=batch.alerts[0].id))
    with pytest.raises(sqlite3.IntegrityError):
        await desk.journal.accept(alerts, batch.envelopes)
    assert await desk.value("SELECT count(*) FROM alerts") == 0
    assert await desk.open_counts() == {0}


def poisoned(batch: Batch, **envelope: Any) -> tuple[Envelope, ...]:
    """Return the envelopes of the batch with something in them that SQLite refuses."""
    return tuple(replace(one, **envelope) for one in batch.envelopes)


POISON = {
    "an id that is taken": {"id": 1},
    "a number that is no number": {"usable_seconds": "many"},
    "a number too great": {"letterhead_id": 1 << 70},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_a_poisoned_change_does_not_fail_its_batch(desk: SqliteDesk, poison: dict[str, Any]) -> None:
    """Everything else of the batch is committed, in one transaction; the bad one is told its own error."""
    taken = desk.make.batch()
    await desk.journal.accept(taken.alerts, poisoned(taken, id=1))
    good, bad = desk.make.batch(), desk.make.batch()
    commits = await desk.commits()
    async with desk.held_writer():
        posts = [
            asyncio.create_task(desk.journal.accept(good.alerts, good.envelopes)),
            asyncio.create_task(desk.journal.accept(bad.alerts, poisoned(bad, **poison))),
            asyncio.create_task(desk.post()),
        ]
        mark = desk.journal.record(verdict_on(1))
    results = await asyncio.gather(*posts, mark, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False, False]
    assert commits == ["COMMIT", "ROLLBACK", "COMMIT"]
    assert await desk.open_counts() == {2}
    assert await desk.value("SELECT count(*) FROM alerts") == 3


async def test_a_failing_step_does_not_fail_its_batch(desk: SqliteDesk) -> None:
    """A step's own exception goes to who asked for it, and what it wrote is undone."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM meta")
        raise KeyError("a step")

    async with desk.held_writer():
        post = asyncio.create_task(desk.post())
        step = desk.ask(fail)
    await post
    with pytest.raises(KeyError, match="a step"):
        await step
    assert await desk.open_counts() == {1}


async def test_what_sqlite_cannot_read_back_is_not_written(desk: SqliteDesk) -> None:
    """A number that JSON has not is null in the journal, and fails no later read of the queue."""
    batch = await desk.post(extra={"used": float("nan")})
    assert await desk.due_ids() == envelope_ids(batch)


async def test_a_lone_surrogate_fails_only_its_own_post(desk: SqliteDesk) -> None:
    """What cannot be written as UTF-8 is refused before it reaches the writer."""
    with pytest.raises(TypeError, match="surrogates"):
        await desk.post(content="\ud800")
    batch = await desk.post()
    assert await desk.due_ids() == envelope_ids(batch)


async def test_a_poster_who_has_gone_does_not_stop_the_rest(desk: SqliteDesk) -> None:
    """A cancelled request's alert is committed all the same, and counted."""
    async with desk.held_writer():
        gone, stays = asyncio.create_task(desk.post()), asyncio.create_task(desk.post())
        await asyncio.sleep(0)
        gone.cancel()
    await stays
    assert await desk.open_counts() == {2}


async def test_a_step_sees_the_changes_before_it(desk: SqliteDesk) -> None:
    """Changes of one batch are committed in order as far as it matters."""
    async with desk.held_writer():
        post = asyncio.create_task(desk.post(3))
        await asyncio.sleep(0)
        step = desk.ask(lambda connection: connection.execute("SELECT count(*) FROM envelopes").fetchone()[0])
    assert await step == 3
    await post


async def test_an_outcome_seen_during_a_fault_has_a_last_try_at_the_close(desk: SqliteDesk) -> None:
    """The disk has room again, the probe has not come yet, the daemon stops: the outcome is not forgotten."""
    batch = await desk.post()
    desk.leave_pages(0)
    with pytest.raises(JournalUnavailable):
        await desk.post(content="x" * 200_000)
    marking = desk.journal.record(verdict_on(batch.envelopes[0].id))
    desk.make_room()
    await desk.journal.close()
    await asyncio.sleep(0)
    assert marking.done()
    assert marking.exception() is None


async def test_a_fault_of_the_program_in_a_commit_does_not_end_the_writer(desk: SqliteDesk) -> None:
    """Who waits is answered, health tells of it, and the next commit is tried."""

    def break_down(_: Any) -> None:
        raise MemoryError("no room")

    with pytest.raises(MemoryError):
        await desk.ask(break_down)
    await desk.post()
    assert await desk.open_counts() == {1}


def failing(code: int) -> Callable[[sqlite3.Connection], None]:
    """Return an errand that meets what a broken disk makes SQLite say."""

    def fail(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    return fail


async def test_after_a_failed_fsync_nothing_is_committed(desk: SqliteDesk) -> None:
    """Everything that waits fails, outcomes too, and no other commit is tried: its fsync would say nothing."""
    (envelope,) = envelope_ids(await desk.post())
    commits = await desk.commits()
    async with desk.held_writer():
        fsync = desk.ask(failing(sqlite3.SQLITE_IOERR_FSYNC))
        post = asyncio.create_task(desk.post())
        mark = desk.journal.record(verdict_on(envelope))
    results = await asyncio.gather(fsync, post, mark, return_exceptions=True)
    results += await asyncio.gather(desk.post(), desk.journal.record(verdict_on(envelope)), return_exceptions=True)
    assert [type(result) for result in results] == [JournalFailed] * 5
    assert isinstance(desk.journal.broken.result(), JournalFailed)
    assert commits == ["COMMIT", "ROLLBACK"]  # the held one, and the one that failed


async def test_the_end_after_a_failed_fsync_writes_nothing(desk: SqliteDesk, tmp_path: Path) -> None:
    """The close leaves the write-ahead log where it is: a checkpoint would begin with another fsync."""
    await desk.post()
    with pytest.raises(JournalFailed):
        await desk.ask(failing(sqlite3.SQLITE_IOERR_FSYNC))
    before = (tmp_path / JOURNAL_FILE).read_bytes()
    await desk.journal.close()
    assert (tmp_path / JOURNAL_FILE).read_bytes() == before
    assert (tmp_path / f"{JOURNAL_FILE}-wal").stat().st_size > 0


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_READ])
async def test_damage_met_by_a_commit_ends_the_journal(desk: SqliteDesk, code: int) -> None:
    """Who waits is told to come again, for by then what can be read is in a new journal."""
    with pytest.raises(JournalUnavailable):
        await desk.ask(failing(code))
    assert isinstance(desk.journal.broken.result(), JournalCorrupt)


async def test_damage_met_by_a_read_ends_the_journal(desk: SqliteDesk) -> None:
    """The commit that runs meanwhile is still answered as it ends."""

    def damaged(_: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    async with desk.held_writer():
        post = asyncio.create_task(desk.post())
        with pytest.raises(JournalUnavailable):
            await desk.journal._reader.run(damaged)
    with pytest.raises(JournalUnavailable):
        await post
    assert isinstance(desk.journal.broken.result(), JournalCorrupt)


async def test_a_reader_without_a_disk_does_not_end_the_journal(desk: SqliteDesk) -> None:
    """Only the writer can say that the disk does not keep what is written."""
    with pytest.raises(JournalUnavailable):
        await desk.journal._reader.run(failing(sqlite3.SQLITE_IOERR_LOCK))
    await desk.post()
    assert not desk.journal.broken.done()


class FullQuota(Reserve):
    """The reserve on a disk where nothing more may be allocated."""

    def disk_is_full(self) -> bool:
        return True


async def test_a_full_quota_is_no_broken_disk(desk: SqliteDesk, tmp_path: Path) -> None:
    """SQLite tells the two apart only for ENOSPC; a quota's limit is asked for, and passes."""
    desk.journal._writer._reserve = FullQuota(tmp_path)
    with pytest.raises(JournalUnavailable):
        await desk.ask(failing(sqlite3.SQLITE_IOERR_WRITE))
    assert desk.journal.fault
    assert not desk.journal.broken.done()
