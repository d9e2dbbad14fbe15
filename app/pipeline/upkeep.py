"""The small periodic work beside the queue: pruning, the age of the oldest mail, the relay's usable time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.ports import Clock, PruneStep

log = structlog.get_logger()

OLDEST_EVERY = timedelta(seconds=2)
USABLE_EVERY = timedelta(minutes=1)
PRUNE_EVERY = timedelta(hours=1)
CLOCK_JUMP = timedelta(minutes=5)  # more than NTP slews; a machine that slept counts too, and waits a round
PRUNE_REST = timedelta(milliseconds=50)  # between two steps of about 5 ms, so that posts never wait for long


class UpkeepStore(Protocol):
    """What upkeep needs of the journal."""

    async def oldest_open(self) -> datetime | None: ...
    async def prune_step(self, cutoff: datetime, after: int) -> PruneStep: ...
    async def keep_usable_seconds(self, seconds: int) -> None: ...


class Upkeep:
    """Runs until it is cancelled. `oldest_open_at` is kept for `/healthz`, which reads memory only."""

    def __init__(
        self, *, store: UpkeepStore, clock: Clock, retention: timedelta, usable_seconds: Callable[[], int]
    ) -> None:
        """`usable_seconds` tells for how long a relay has been usable, in all runs together."""
        self._store = store
        self._clock = clock
        self._retention = retention
        self._usable_seconds = usable_seconds
        self._looked_at = clock.now(), clock.monotonic()
        self.oldest_open_at: datetime | None = None

    async def run(self) -> None:
        """Do each piece of work at its own pace."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(OLDEST_EVERY, self._look_at_oldest))
            group.create_task(_every(USABLE_EVERY, self.keep_usable_seconds))
            group.create_task(_every(PRUNE_EVERY, self.prune))

    async def prune(self) -> None:
        """Remove what was finished before the retention, in small steps."""
        if self._clock_has_jumped():
            return
        cutoff = self._clock.now() - self._retention
        after: int | None = 0
        removed = 0
        while after is not None:
            step = await self._store.prune_step(cutoff, after)
            removed, after = removed + step.removed, step.after
            await asyncio.sleep(PRUNE_REST.total_seconds())
        if removed:
            log.info("journal_pruned", alerts=removed, finished_before=cutoff.isoformat())

    def _clock_has_jumped(self) -> bool:
        """Tell whether wall time has run away from monotonic time since the last look: then nothing is pruned."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        passed = timedelta(seconds=monotonic - self._looked_at[1])
        jump = wall - self._looked_at[0] - passed
        self._looked_at = wall, monotonic
        if abs(jump) > CLOCK_JUMP:
            log.warning("clock_jumped", seconds=round(jump.total_seconds()), pruned="not this time")
        return abs(jump) > CLOCK_JUMP

    async def keep_usable_seconds(self) -> None:
        """Write down the usable time, which the lifetime of mails is counted in."""
        await self._store.keep_usable_seconds(self._usable_seconds())

    async def _look_at_oldest(self) -> None:
        self.oldest_open_at = await self._store.oldest_open()


async def _every(pause: timedelta, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - the top of a loop: the next round tries again
            log.warning("upkeep_failed", work=getattr(work, "__name__", ""), error=str(error))
        await asyncio.sleep(pause.total_seconds())
