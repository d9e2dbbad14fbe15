"""The small periodic work beside the queue: pruning, the age of the oldest mail, the clocks of the journal."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.errors import JournalUnavailable
from app.domain.ports import Clock, PruneStep
from app.domain.receipt import KEPT_FOR

log = structlog.get_logger()

OLDEST_EVERY = timedelta(seconds=2)
CLOCKS_EVERY = timedelta(minutes=1)
PRUNE_EVERY = timedelta(hours=1)
PRUNE_REST = timedelta(milliseconds=50)  # between two steps of about 5 ms, so that posts never wait for long


class UpkeepStore(Protocol):
    """What upkeep needs of the journal."""

    async def oldest_open(self) -> datetime | None: ...

    async def prune_step(self, cutoff: datetime, made_before: int, after: int) -> PruneStep:
        """Remove some alerts with ids over `after`: finished before `cutoff`, made before these running seconds."""

    async def forget_receipts(self, before: datetime) -> int:
        """Remove some receipts made before that time, the oldest first; return how many."""

    async def keep_clocks(self, *, usable_seconds: int, running_seconds: int, at: datetime) -> None:
        """Record the two counts of seconds (see Envelope), and the latest time that was."""


class Upkeep:
    """Runs until it is cancelled. `oldest_open_at` is kept for `/healthz`, which reads memory only."""

    def __init__(
        self,
        *,
        store: UpkeepStore,
        clock: Clock,
        retention: timedelta,
        usable_seconds: Callable[[], int],
        running_seconds: Callable[[], int],
    ) -> None:
        """`clock` is the queue's, which never goes back. Both counts are of all runs together."""
        self._store = store
        self._clock = clock
        self._retention = retention
        self._usable_seconds = usable_seconds
        self._running_seconds = running_seconds
        self.oldest_open_at: datetime | None = None

    async def run(self) -> None:
        """Do each piece of work at its own pace."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(OLDEST_EVERY, self._look_at_oldest))
            group.create_task(_every(CLOCKS_EVERY, self.keep_clocks))
            group.create_task(_every(PRUNE_EVERY, self.prune))
            group.create_task(_every(PRUNE_EVERY, self.forget_receipts))

    async def prune(self) -> None:
        """Remove, in small steps, what was finished before the retention and made as many running seconds ago.

        The second holds where the first cannot: a wall clock that is a year ahead makes everything look old.
        """
        cutoff = self._clock.now() - self._retention
        made_before = self._running_seconds() - int(self._retention.total_seconds())
        after: int | None = 0
        removed = 0
        while after is not None and made_before > 0:
            step = await self._store.prune_step(cutoff, made_before, after)
            removed, after = removed + step.removed, step.after
            await asyncio.sleep(PRUNE_REST.total_seconds())
        if removed:
            log.info("journal_pruned", alerts=removed, finished_before=cutoff.isoformat())

    async def forget_receipts(self) -> None:
        """Remove, in small steps, the receipts that have had their day."""
        removed = 1
        while removed:
            removed = await self._store.forget_receipts(self._clock.now() - KEPT_FOR)
            await asyncio.sleep(PRUNE_REST.total_seconds())

    async def keep_clocks(self) -> None:
        """Write down the time in which mails live and wait, so that the next run goes on from it."""
        await self._store.keep_clocks(
            usable_seconds=self._usable_seconds(), running_seconds=self._running_seconds(), at=self._clock.now()
        )

    async def _look_at_oldest(self) -> None:
        self.oldest_open_at = await self._store.oldest_open()


async def _every(pause: timedelta, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except JournalUnavailable as error:
            log.warning("upkeep_failed", work=getattr(work, "__name__", ""), error=str(error))
        except Exception:  # the top of the loop: the next round tries again
            log.exception("upkeep_failed", work=getattr(work, "__name__", ""))
        await asyncio.sleep(pause.total_seconds())
