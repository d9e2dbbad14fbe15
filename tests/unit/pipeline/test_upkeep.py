"""Upkeep: done in small steps, at its own pace, and never ended by a fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

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
        self.asked: list[tuple[datetime, int]] = []
        self.kept: list[int] = []
        self.fault: Exception | None = None

    async def oldest_open(self) -> datetime | None:
        """Return when the oldest mail was made."""
        if self.fault:
            raise self.fault
        return self.oldest

    async def prune_step(self, cutoff: datetime, after: int) -> Step:
        """Do the next step."""
        self.asked.append((cutoff, after))
        return self.steps[len(self.asked) - 1]

    async def keep_usable_seconds(self, seconds: int) -> None:
        """Note the usable time."""
        if self.fault:
            raise self.fault
        self.kept.append(seconds)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLDEST_EVERY", "USABLE_EVERY", "PRUNE_REST"):
        monkeypatch.setattr(upkeep, name, timedelta(milliseconds=1))


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Upkeep]:
    """Let upkeep run for a while."""
    work = Upkeep(store=store, clock=FakeClock(), retention=30 * DAY, usable_seconds=lambda: 4711)
    task = asyncio.create_task(work.run())
    async with asyncio.timeout(30):
        yield work
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_old_alerts_are_pruned_step_by_step() -> None:
    """Each step goes on where the one before ended, all with the same cutoff."""
    store = Store()
    async with running(store):
        while len(store.asked) < 3:
            await asyncio.sleep(0.001)
    cutoff = NOW - 30 * DAY
    assert store.asked == [(cutoff, 0), (cutoff, 10), (cutoff, 20)]


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


async def test_the_usable_time_is_written_down() -> None:
    """A crash loses no more than a minute of it."""
    store = Store()
    async with running(store):
        while len(store.kept) < 2:
            await asyncio.sleep(0.001)
    assert set(store.kept) == {4711}


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


async def test_a_clock_that_jumps_prunes_nothing() -> None:
    """A year forward would take the proof of everything; at the next round, without a jump, pruning goes on."""
    store, clock = Store(), FakeClock()
    work = Upkeep(store=store, clock=clock, retention=30 * DAY, usable_seconds=lambda: 0)
    clock.wall += 365 * DAY
    await work.prune()
    assert store.asked == []
    clock.pass_time(DAY)
    await work.prune()
    assert store.asked
