"""Gives up the mails that have waited for the longest life, be it because no relay was ever usable."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import structlog

from app.delivery.recorder import Recorder
from app.domain.envelope import QueuedMail
from app.domain.ports import Clock, MailStore
from app.domain.verdict import LONGEST_LIFE, Attempt, expire
from app.pipeline.queue import MailQueue

log = structlog.get_logger()

SWEEP_EVERY = timedelta(minutes=1)
PAGE = 100  # mails in memory at a time


class Expiry:
    """Sweeps the journal. It counts running time, so neither a clock that jumps nor a long stop expires anything."""

    def __init__(
        self,
        *,
        store: MailStore,
        queue: MailQueue,
        recorder: Recorder,
        clock: Clock,
        running_seconds: Callable[[], int],
    ) -> None:
        """`running_seconds` tells for how long the daemon has been running, in all runs together."""
        self._store = store
        self._queue = queue
        self._recorder = recorder
        self._clock = clock
        self._running_seconds = running_seconds

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:  # the top of a loop: the next sweep tries again
                log.exception("expiry_failed")
            await asyncio.sleep(SWEEP_EVERY.total_seconds())

    async def sweep(self) -> None:
        """Record as expired what is overdue and not under way."""
        running = self._running_seconds()
        after: int | None = 0
        while after is not None:
            after = await self._sweep_page(running, after)

    async def _sweep_page(self, running: int, after: int) -> int | None:
        """Return the id to go on from, None at the end."""
        made_before = running - int(LONGEST_LIFE.total_seconds())
        found = await self._store.overdue(made_before=made_before, after=after, limit=PAGE)
        ours = {mail.envelope.id for mail in found if self._queue.withdraw(mail.envelope.id)}
        try:
            # Read again: until it was withdrawn a mail may have been sent, and then it is not there any more.
            again = await self._store.overdue(made_before=made_before, after=after, limit=PAGE) if ours else ()
            for mail in again:
                if mail.envelope.id in ours:
                    await self._recorder.wait_for_room()
                    ours.remove(mail.envelope.id)
                    self._recorder.record(mail, expire(mail, self._attempt(mail, running)))
        finally:
            for envelope_id in ours:
                self._queue.settle(envelope_id, waits=True)
        return found[-1].envelope.id if found else None

    def _attempt(self, mail: QueuedMail, running: int) -> Attempt:
        return Attempt(
            relay="",
            at=self._clock.now(),
            usable_seconds=mail.envelope.usable_seconds,
            running_seconds=running,
            lifetime=LONGEST_LIFE,
            random=random.random(),  # noqa: S311 - jitter, which nothing that is finished uses
        )
