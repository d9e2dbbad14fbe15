"""Upkeep: done in small steps, at its own pace, and never ended by a fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.domain.errors import JournalUnavailable
from app.pipeline import upkeep
from app.pipeline.upkeep import Upkeep
from tests.support.clock import NOW, FakeClock

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of pruning did."""

    removed: int
    after: int | None


class Store:
    """A journal with a few old alerts; it may be out of order."""

    def __init__(self) -> None:
        self.oldest: datetime | None = NOW
        self.steps = [Step(5, 10), Step(0, 20), Step(3, None)]
        self.asked: list[tuple[datetime, int, int]] = []
        self.kept: list[tuple[int, int, datetime]] = []
        self.receipts = 4
        self.forgotten: list[datetime] = []
        self.fault: Exception | None = None

    async def oldest_open(self) -> datetime | None:
        """Return when the oldest mail was made."""
        if self.fault:
            raise self.fault
        return self.oldest

    async def prune_step(self, cutoff: datetime, made_before: int, after: int) -> Step:
        """Do the next step."""
        self.asked.append((cutoff, made_before, after))
        return self.steps[len(self.asked) - 1]

    async def forget_receipts(self, before: datetime) -> int:
        """Forget half of what is left."""
        if self.fault:
            raise self.fault
        self.forgotten.append(before)
        self.receipts //= 2
        return self.receipts

    async def keep_clocks(self, *, usable_seconds: int, running_seconds: int, at: datetime) -> None:
        """Note the times."""
        if self.fault:
            raise self.fault
        self.kept.append((usable_seconds, running_seconds, at))


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLDEST_EVERY", "CLOCKS_EVERY", "PRUNE_REST"):
        monkeypatch.setattr(upkeep, name, timedelta(milliseconds=1))


def upkeep_of(store: Store, *, running: timedelta = 50 * DAY) -> Upkeep:
    """Return the upkeep of a daemon that has been running for so long."""
    return Upkeep(
        store=store,
        clock=FakeClock(),
        retention=30 * DAY,
        usable_seconds=lambda: 4711,
        running_seconds=lambda: int(running.total_seconds()),
    )


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Upkeep]:
    """Let upkeep run for a while."""
    work = upkeep_of(store)
    task = asyncio.create_task(work.run())
    async with asyncio.timeout(30):
        yield work
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_old_alerts_are_pruned_step_by_step() -> None:
    """Each step goes on where the one before ended, all with the same cutoffs."""
    store = Store()
    async with running(store):
        while len(store.asked) < 3:
            await asyncio.sleep(0.001)
    cutoffs = NOW - 30 * DAY, 20 * 86_400
    assert store.asked == [(*cutoffs, 0), (*cutoffs, 10), (*cutoffs, 20)]


async def test_the_oldest_mail_is_looked_at_again_and_again() -> None:
    """Health reads the age from memory, and it is never far behind."""
    store = Store()
    async with running(store) as work:
        while work.oldest_open_at != NOW:
            await asyncio.sleep(0.001)
        store.oldest = None
        while work.oldest_open_at is not None:
            await asyncio.sleep(0.001)
    assert work.oldest_open_at is None


async def test_receipts_are_forgotten_after_a_day() -> None:
    """In steps, until none is left."""
    store = Store()
    await upkeep_of(store).forget_receipts()
    assert (store.receipts, store.forgotten) == (0, [NOW - DAY] * 3)


async def test_the_clocks_are_written_down() -> None:
    """A crash loses no more than a minute of them."""
    store = Store()
    async with running(store):
        while len(store.kept) < 2:
            await asyncio.sleep(0.001)
    assert set(store.kept) == {(4711, 50 * 86_400, NOW)}


async def test_a_journal_that_is_out_of_order_does_not_end_it() -> None:
    """Every piece of work is tried again at its next turn."""
    store = Store()
    store.fault = JournalUnavailable("disk full")
    async with running(store) as work:
        await asyncio.sleep(0.01)
        store.fault = None
        while work.oldest_open_at is None or not store.kept:
            await asyncio.sleep(0.001)
    assert store.kept


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [(JournalUnavailable("disk full"), False), (RuntimeError("a defect"), True)],
    ids=["journal", "defect"],
)
async def test_only_a_defect_is_worth_a_traceback(error: Exception, has_traceback: bool) -> None:
    """A journal that is out of order is logged elsewhere, in full."""
    store = Store()
    store.fault = error
    with capture_logs() as logs:
        async with running(store):
            while len(logs) < 3:
                await asyncio.sleep(0.001)
    assert {entry["event"] for entry in logs} == {"upkeep_failed"}
    assert [("exc_info" in entry) for entry in logs] == [has_traceback] * len(logs)


async def test_nothing_is_pruned_before_the_retention_has_run() -> None:
    """Fault 19: however old a clock that is a year ahead makes everything look."""
    store = Store()
    await upkeep_of(store, running=30 * DAY).prune()
    assert store.asked == []
