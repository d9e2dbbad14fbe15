"""The whole sending half over a journal and a relay in memory."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.delivery.link import RelayLink
from app.delivery.recorder import Recorder
from app.delivery.sender import Sender
from app.delivery.suspects import Suspects
from app.delivery.worker import Tools
from app.domain.envelope import QueuedMail
from app.domain.verdict import Verdict
from app.pipeline.queue import MailQueue
from tests.support.clock import FakeClock
from tests.support.factories import LIFETIME, Factory
from tests.support.fake_relay import FakeRelay
from tests.support.memory_journal import MemoryJournal

HANG = 30  # seconds; far beyond what any of these tests takes
POISON = "poison"


class Sending:
    """Unless it is given another one, its clock jumps over every pause of a breaker."""

    def __init__(self, *, connections: int = 1, clock: FakeClock | None = None) -> None:
        self.journal = MemoryJournal()
        self.relay = FakeRelay()
        self.clock = clock or FakeClock(tick=3600)
        self.make = Factory()
        self.queue = MailQueue(store=self.journal, clock=self.clock)
        self.link = RelayLink(name="mx1", connect=self.relay.connect, clock=self.clock, usable_seconds=0)
        self.recorder = Recorder(store=self.journal, queue=self.queue)
        tools = Tools(
            queue=self.queue,
            link=self.link,
            recorder=self.recorder,
            suspects=Suspects(),
            render=_render,
            clock=self.clock,
            lifetime=LIFETIME,
        )
        self.sender = Sender(tools, connections=connections)
        self._running: asyncio.Task[None] | None = None

    def put(self, count: int = 1, **of: Any) -> list[int]:
        """Let mails wait in the journal; return the ids of their envelopes."""
        mails = [self.make.mail(**of) for _ in range(count)]
        self.journal.put(*mails)
        self.queue.wake()
        return [mail.envelope.id for mail in mails]

    def start(self) -> None:
        """Begin to send."""
        self._running = asyncio.create_task(self.sender.run())

    async def drain(self) -> None:
        """Send what waits, and end."""
        self.sender.drain()
        if self._running is None:
            self.start()
        assert self._running is not None
        async with asyncio.timeout(HANG):
            await self._running

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let it run until something is so."""
        async with asyncio.timeout(HANG):
            while not condition():
                await asyncio.sleep(0.001)

    async def recorded(self, count: int = 1) -> list[Verdict]:
        """Return the first verdicts once they are there."""
        await self.until(lambda: len(self.journal.verdicts) >= count)
        return self.journal.verdicts[:count]

    async def end(self) -> None:
        """Cut everything off."""
        if self._running is not None and not self._running.done():
            await self.sender.cut_off()
            await self._running


def _render(mail: QueuedMail) -> bytes:
    if mail.accepted.alert.subject == POISON:
        raise ZeroDivisionError("a template")
    return f"Subject: {mail.accepted.alert.subject}\r\n\r\n".encode()
