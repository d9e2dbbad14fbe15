"""The whole sending half over a journal and a relay in memory."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.delivery.link import Connect, RelayLink
from app.delivery.recorder import Recorder
from app.delivery.relays import Relays
from app.delivery.sender import Sender
from app.delivery.suspects import Suspects
from app.delivery.tools import Tools
from app.domain.elapsed import Stopwatch
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.relay import RelayPolicy
from app.domain.verdict import Verdict
from app.pipeline.queue import MailQueue
from tests.support.clock import FakeClock
from tests.support.factories import LIFETIME, Factory, many_recipients
from tests.support.fake_relay import FakeRelay
from tests.support.memory_journal import MemoryJournal

HANG = 30  # seconds; far beyond what any of these tests takes
POISON = "poison"
HEAVY_AT_ONCE = 2  # mails with attachments


class Sending:
    """Unless it is given another one, its clock jumps over every pause of a breaker.

    `relay` and `link` are the first relay's; more are made with `policies`, one for each relay. With `connect`
    the first one is a real relay.
    """

    def __init__(
        self,
        *,
        connections: int = 1,
        clock: FakeClock | None = None,
        policies: Sequence[RelayPolicy] = (),
        connect: Connect | None = None,
    ) -> None:
        self.journal = MemoryJournal()
        policies = policies or (RelayPolicy(connections=connections),)
        self.fakes = [FakeRelay() for _ in policies]
        self.relay = self.fakes[0]
        self.clock = clock or FakeClock(tick=3600)
        self.make = Factory()
        self.queue = MailQueue(store=self.journal, clock=self.clock, most_heavy=HEAVY_AT_ONCE)
        connects = [fake.connect for fake in self.fakes]
        connects[0] = connect or connects[0]
        self.links = [
            RelayLink(name=f"mx{number}", policy=policy, connect=connect, clock=self.clock)
            for number, (policy, connect) in enumerate(zip(policies, connects, strict=True), start=1)
        ]
        self.link = self.links[0]
        self.relays = Relays(self.links, clock=self.clock, usable_seconds=0)
        self.set_aside: set[str] = set()  # addresses that get no mail
        self.told: list[tuple[QueuedMail, Verdict]] = []  # what was recorded, as others hear of it
        self.recorder = Recorder(
            store=self.journal, queue=self.queue, on_recorded=lambda mail, verdict: self.told.append((mail, verdict))
        )
        tools = Tools(
            queue=self.queue,
            relays=self.relays,
            recorder=self.recorder,
            suspects=Suspects(),
            render=_render,
            envelope_id=lambda mail: format_id(mail.envelope.id),
            return_path=return_path,
            is_set_aside=self.set_aside.__contains__,
            attachments=self._attachments,
            clock=self.clock,
            lifetime_of=lambda _: LIFETIME,
            running_seconds=Stopwatch(self.clock, seconds_before=0).seconds,
        )
        self.sender = Sender(tools)
        self.attachments_fault: OSError | None = None  # why the journal cannot read them
        self._running: asyncio.Task[None] | None = None

    async def _attachments(self, alert_id: int) -> Mapping[int, bytes]:
        if self.attachments_fault is not None:
            raise self.attachments_fault
        return await self.journal.attachments(alert_id)

    def put(self, count: int = 1, **of: Any) -> list[int]:
        """Let mails wait in the journal; return the ids of their envelopes."""
        mails = [self.make.mail(**of) for _ in range(count)]
        self.journal.put(*mails)
        self.queue.wake()
        return [mail.envelope.id for mail in mails]

    def put_with_senders(self, recipients: int) -> None:
        """Let a mail wait whose bounces come to an address of each recipient (VERP)."""
        many = many_recipients(recipients)
        letterhead = replace(many.letterhead, verp="box@example.org")
        self.journal.put(replace(self.make.mail(), letterhead=letterhead, deliveries=many.deliveries))
        self.queue.wake()

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

    def pass_time(self, duration: timedelta) -> None:
        """Let time go on, and have everybody look at the clock who waits for a time."""
        self.clock.pass_time(duration)
        self.link.on_change()  # wakes the workers of every link
        self.queue.wake()

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


def return_path(mail: QueuedMail, position: int) -> str:
    """Return the sender of the envelope; with VERP one for each recipient."""
    verp = mail.letterhead.verp
    return verp.replace("@", f"+{position}@") if verp else mail.letterhead.sender.address


def _render(mail: QueuedMail) -> bytes:
    if mail.accepted.alert.subject == POISON:
        raise ZeroDivisionError("a template")
    files = mail.accepted.alert.attachments if mail.carries_attachments else ()
    return f"Subject: {mail.accepted.alert.subject}\r\n\r\n".encode() + b"".join(file.data for file in files)
