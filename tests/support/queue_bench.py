"""The queue over a journal in memory."""

import asyncio
from datetime import timedelta

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.pipeline.queue import MailQueue
from tests.support.clock import NOW, FakeClock
from tests.support.factories import DEFERRED, Factory, verdict_on
from tests.support.memory_journal import MemoryJournal

LONG = timedelta(seconds=30)  # for what comes at once
LANE = "mx1"


class Bench:
    """A queue over a journal in memory, its feeder running."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.queue = MailQueue(store=self.journal, clock=self.clock, most_heavy=2)
        self.make = Factory()

    def put(
        self, count: int = 1, *, due_in: timedelta = timedelta(), severity: Severity = Severity.WARNING
    ) -> list[int]:
        """Let mails come into the journal; return their ids."""
        mails = [self.make.mail(due_at=NOW + due_in, severity=severity) for _ in range(count)]
        self.journal.put(*mails)
        self.queue.wake()
        return [mail.envelope.id for mail in mails]

    async def take(self, lane: str = LANE) -> QueuedMail:
        """Return the next mail, which must come."""
        mail = await self.queue.take(within=LONG, lane=lane)
        assert mail is not None
        return mail

    async def ready(self) -> None:
        """Have a worker come by, for which mails are made ready, and go without one."""
        await self.queue.take(within=timedelta(), lane=LANE)
        await self.settled()

    async def take_nothing(self) -> None:
        """Find that there is nothing to take."""
        assert await self.queue.take(within=timedelta(milliseconds=20), lane=LANE) is None

    async def take_ids(self, count: int) -> list[int]:
        """Return the ids of the next mails."""
        return [(await self.take()).envelope.id for _ in range(count)]

    async def defer(self, envelope_id: int) -> None:
        """Have an attempt at this envelope deferred for a minute."""
        await self.journal.record(verdict_on(envelope_id, DEFERRED))
        self.queue.settle(envelope_id, waits=True)

    async def send(self, envelope_id: int) -> None:
        """Have this envelope sent."""
        await self.journal.record(verdict_on(envelope_id))
        self.queue.settle(envelope_id, waits=False)

    async def settled(self) -> None:
        """Let everything run that can."""
        for _ in range(20):
            await asyncio.sleep(0)
