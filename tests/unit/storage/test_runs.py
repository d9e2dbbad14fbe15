"""The record of starts: what the startup notice needs to know."""

from datetime import timedelta

from app.domain.runs import PreviousRuns
from app.storage import runs
from tests.support.clock import NOW
from tests.support.sqlite_desk import SqliteDesk

MINUTE = timedelta(minutes=1)


async def test_a_new_journal_knows_of_no_run(desk: SqliteDesk) -> None:
    """The first start follows nothing, so nothing ended badly."""
    _, before = await desk.journal.begin_run(NOW)
    assert before == PreviousRuns(any=False, ended_cleanly=True, last_notice_at=None, unannounced=0)


async def test_a_run_that_ended_cleanly_is_known_as_such(desk: SqliteDesk) -> None:
    """A stop by signal is told from a crash."""
    run, _ = await desk.journal.begin_run(NOW)
    await desk.journal.mark_noticed(run)
    await desk.journal.end_run(run, NOW + MINUTE)
    _, before = await desk.journal.begin_run(NOW + 2 * MINUTE)
    assert before == PreviousRuns(any=True, ended_cleanly=True, last_notice_at=NOW, unannounced=0)


async def test_a_run_without_an_end_was_not_clean(desk: SqliteDesk) -> None:
    """Killed, crashed, or the power failed."""
    await desk.journal.begin_run(NOW)
    _, before = await desk.journal.begin_run(NOW + MINUTE)
    assert (before.any, before.ended_cleanly) == (True, False)


async def test_only_the_last_run_counts_as_clean_or_not(desk: SqliteDesk) -> None:
    """An old crash is forgotten after a clean end."""
    await desk.journal.begin_run(NOW)
    run, _ = await desk.journal.begin_run(NOW)
    await desk.journal.end_run(run, NOW)
    _, before = await desk.journal.begin_run(NOW)
    assert before.ended_cleanly


async def test_starts_since_the_last_notice_are_counted(desk: SqliteDesk) -> None:
    """A restart loop is told of as one, with its length."""
    for _ in range(2):
        await desk.journal.begin_run(NOW - MINUTE)
    run, _ = await desk.journal.begin_run(NOW)
    await desk.journal.mark_noticed(run)
    for _ in range(3):
        await desk.journal.begin_run(NOW + MINUTE)
    _, before = await desk.journal.begin_run(NOW + MINUTE)
    assert (before.last_notice_at, before.unannounced) == (NOW, 3)


async def test_old_runs_are_forgotten(desk: SqliteDesk) -> None:
    """The record is bounded, and numbers are not used again."""
    numbers = [(await desk.journal.begin_run(NOW))[0] for _ in range(3)]
    await desk.ask(lambda c: c.execute(f"UPDATE runs SET id = id + {runs.KEEP} WHERE id > 1"))
    last, _ = await desk.journal.begin_run(NOW)
    assert last == numbers[-1] + runs.KEEP + 1
    assert await desk.value("SELECT count(*) FROM runs") == 3
