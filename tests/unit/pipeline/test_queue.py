"""The queue: a small window on the journal, from which each mail goes to one taker."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.pipeline import queue as queue_module
from app.pipeline.queue import LOW_WATER, WINDOW, MailQueue
from tests.support.clock import NOW, FakeClock
from tests.support.factories import AMBIGUOUS, DEFERRED, Factory, verdict_on
from tests.support.memory_journal import MemoryJournal

LONG = timedelta(seconds=30)  # for what comes at once
HOUR = timedelta(hours=1)


class Bench:
    """A queue over a journal in memory, its feeder running."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.queue = MailQueue(store=self.journal, clock=self.clock)
        self.make = Factory()

    def put(self, count: int = 1, *, due_in: timedelta = timedelta(), severity: Severity = Severity.WARNING) -> list[int]:
        """Let mails come into the journal; return their ids."""
        mails = [self.make.mail(due_at=NOW + due_in, severity=severity) for _ in range(count)]
        self.journal.put(*mails)
        self.queue.wake()
        return [mail.envelope.id for mail in mails]

    async def take(self) -> QueuedMail:
        """Return the next mail, which must come."""
        mail = await self.queue.take(within=LONG)
        assert mail is not None
        return mail

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


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A running queue that polls only when it is woken."""
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 1000)
    bench = Bench()
    feeder = asyncio.create_task(bench.queue.run())
    await bench.settled()
    yield bench
    bench.queue.abandon()
    async with asyncio.timeout(30):
        await feeder


# Taking


async def test_a_mail_goes_to_whoever_waits(bench: Bench) -> None:
    """A worker that waits gets the mail as soon as it is in the journal."""
    taker = asyncio.create_task(bench.take())
    await bench.settled()
    (envelope,) = bench.put()
    assert (await taker).envelope.id == envelope


async def test_mails_come_in_the_order_of_the_journal(bench: Bench) -> None:
    """Critical first, then the oldest."""
    low = bench.put(2, severity=Severity.INFO)
    high = bench.put(2, severity=Severity.CRITICAL)
    assert await bench.take_ids(4) == high + low


async def test_each_mail_goes_to_one_taker_only(bench: Bench) -> None:
    """Many workers over many pages: every mail is handed out exactly once."""
    made = bench.put(3 * WINDOW + 7)
    taken = await asyncio.gather(*(bench.take_ids(len(made) // 7) for _ in range(7)))
    assert sorted(id_ for ids in taken for id_ in ids) == made[: len(made) // 7 * 7]


async def test_a_mail_that_is_out_is_not_read_again(bench: Bench) -> None:
    """Until it is settled it belongs to its taker, however often the journal is read."""
    bench.put()
    await bench.take()
    bench.queue.wake()
    assert await bench.queue.take(within=timedelta(milliseconds=20)) is None


async def test_a_settled_mail_may_come_again_when_it_is_due(bench: Bench) -> None:
    """A retry is an ordinary mail of the journal."""
    (envelope,) = bench.put()
    await bench.take()
    await bench.defer(envelope)
    bench.clock.pass_time(timedelta(minutes=1))
    bench.queue.wake()
    again = await bench.take()
    assert again.envelope.id == envelope
    assert again.deliveries[0].attempts == 1


async def test_what_is_not_due_waits(bench: Bench) -> None:
    """Nothing is handed out ahead of its time."""
    bench.put(due_in=HOUR)
    assert await bench.queue.take(within=timedelta(milliseconds=20)) is None


async def test_nothing_within_the_time_is_none(bench: Bench) -> None:
    """A worker learns that it may close its connection; the mail after that goes to the next who asks."""
    assert await bench.queue.take(within=timedelta(milliseconds=1)) is None
    (envelope,) = bench.put()
    await bench.settled()
    assert await bench.take_ids(1) == [envelope]


async def test_the_last_to_wait_is_served_first(bench: Bench) -> None:
    """The connection that was used last is used again, so that the others may close."""
    early = asyncio.create_task(bench.take())
    await bench.settled()
    late = asyncio.create_task(bench.take())
    await bench.settled()
    bench.put()
    await bench.settled()
    assert (early.done(), late.done()) == (False, True)
    bench.put()
    await early


async def test_what_is_put_back_is_next(bench: Bench) -> None:
    """A mail that was not tried loses nothing of its turn."""
    made = bench.put(3)
    first = await bench.take()
    bench.queue.put_back(first)
    assert await bench.take_ids(3) == made


async def test_what_is_put_back_goes_to_whoever_waits(bench: Bench) -> None:
    """The other workers do not sleep while one cannot send."""
    (envelope,) = bench.put()
    mail = await bench.take()
    taker = asyncio.create_task(bench.take())
    await bench.settled()
    bench.queue.put_back(mail)
    assert (await taker).envelope.id == envelope


async def test_an_attempt_is_known_while_it_runs(bench: Bench) -> None:
    """A page can tell `sending` from `queued`."""
    (one, other) = bench.put(2)
    mail = await bench.take()
    assert not bench.queue.is_sending(one)
    bench.queue.begin(one)
    assert (bench.queue.is_sending(one), bench.queue.is_sending(other)) == (True, False)
    bench.queue.put_back(mail)
    assert not bench.queue.is_sending(one)
    bench.queue.begin(one)
    bench.queue.settle(one, waits=True)
    assert not bench.queue.is_sending(one)


# Feeding


async def test_the_window_is_bounded(bench: Bench) -> None:
    """Of a backlog only a window is in memory; the next page is read when half of it has gone."""
    bench.put(5 * WINDOW)
    await bench.settled()
    assert sum(query.count for query in bench.journal.queries[1:]) == WINDOW
    reads = len(bench.journal.queries)
    await bench.take_ids(WINDOW - LOW_WATER - 1)
    await bench.settled()
    assert len(bench.journal.queries) == reads
    await bench.take_ids(1)
    await bench.settled()
    assert len(bench.journal.queries) == reads + 1


async def test_a_new_critical_mail_overtakes_the_backlog(bench: Bench) -> None:
    """It waits for no more than a window."""
    bench.put(5 * WINDOW)
    await bench.settled()
    (critical,) = bench.put(severity=Severity.CRITICAL)
    assert critical in await bench.take_ids(WINDOW + 1)


async def test_a_read_that_fails_does_not_stop_the_feeder(bench: Bench) -> None:
    """The next wake or poll reads again."""
    bench.journal.fault = OSError("disk")
    (envelope,) = bench.put()
    await bench.settled()
    bench.queue.wake()
    assert await bench.take_ids(1) == [envelope]


async def test_retries_are_found_without_being_woken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll finds what has become due."""
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.01)
    (envelope,) = bench.put(due_in=HOUR)
    await bench.settled()
    bench.clock.pass_time(HOUR)
    assert await bench.take_ids(1) == [envelope]


# Draining


async def finish(bench: Bench) -> None:
    """Wait until the queue says that nothing is left."""
    async with asyncio.timeout(30):
        while not bench.queue.finished:
            await asyncio.sleep(0)


async def test_a_drain_of_nothing_finishes_at_once(bench: Bench) -> None:
    """Whoever waits is let go."""
    taker = asyncio.create_task(bench.queue.take(within=LONG))
    await bench.settled()
    bench.queue.drain()
    await finish(bench)
    assert await taker is None
    assert await bench.queue.take(within=LONG) is None


async def test_a_drain_hands_out_what_waits_for_a_retry_once(bench: Bench) -> None:
    """Each is tried ahead of its time, critical first, and not again."""
    low, high = bench.put(due_in=HOUR) + bench.put(due_in=HOUR, severity=Severity.CRITICAL)
    bench.queue.drain()
    assert await bench.take_ids(2) == [high, low]
    for envelope in (low, high):
        await bench.defer(envelope)
    await finish(bench)


async def test_a_drain_waits_for_what_is_out(bench: Bench) -> None:
    """It ends when the last attempt has its outcome in the journal."""
    (envelope,) = bench.put()
    await bench.take()
    bench.queue.drain()
    await bench.settled()
    assert not bench.queue.finished
    await bench.send(envelope)
    await finish(bench)


async def test_a_drain_sends_what_is_put_back(bench: Bench) -> None:
    """A mail that a relay fault returned is handed out again."""
    (envelope,) = bench.put()
    mail = await bench.take()
    bench.queue.drain()
    bench.queue.put_back(mail)
    assert await bench.take_ids(1) == [envelope]
    await bench.send(envelope)
    await finish(bench)


async def test_a_drain_goes_over_the_whole_backlog(bench: Bench) -> None:
    """Page after page, new mails and retries."""
    made = bench.put(2 * WINDOW) + bench.put(WINDOW, due_in=HOUR)
    bench.queue.drain()
    taken = []
    for _ in made:
        mail = await bench.take()
        taken.append(mail.envelope.id)
        await bench.send(mail.envelope.id)
    assert sorted(taken) == made
    await finish(bench)


async def test_a_drain_leaves_ambiguous_mails_alone(bench: Bench) -> None:
    """What the relay may have taken is not sent again in a hurry."""
    (envelope,) = bench.put()
    mail = await bench.take()
    await bench.journal.record(replace(verdict_on(envelope, AMBIGUOUS), due_at=NOW))
    bench.queue.settle(mail.envelope.id, waits=True)
    bench.queue.drain()
    await finish(bench)
    assert bench.journal.open_count == 1


async def test_a_read_from_before_the_drain_does_not_end_it(bench: Bench) -> None:
    """A read that did not look for retries, nor saw the last post, says nothing about what is left."""
    bench.journal.may_read.clear()
    bench.queue.wake()
    await bench.settled()
    retry, new = bench.put(due_in=HOUR) + bench.put()
    bench.queue.drain()
    bench.journal.may_read.set()
    assert await bench.take_ids(2) == [new, retry]


async def test_a_read_that_fails_does_not_end_a_drain(bench: Bench) -> None:
    """Not to know is not to be empty."""
    (envelope,) = bench.put(due_in=HOUR)
    await bench.settled()
    bench.journal.fault = OSError("disk")
    bench.queue.drain()
    await bench.settled()
    assert not bench.queue.finished
    bench.queue.wake()
    assert await bench.take_ids(1) == [envelope]


async def test_a_long_drain_remembers_only_what_waits(bench: Bench) -> None:
    """Reads stay short: what was sent need not be left out of them."""
    made = bench.put(WINDOW)
    bench.queue.drain()
    for envelope in await bench.take_ids(len(made)):
        await (bench.defer(envelope) if envelope == made[7] else bench.send(envelope))
    await finish(bench)
    assert bench.journal.queries[-1].held == {made[7]}


# Abandoning


async def test_abandoning_releases_whoever_waits(bench: Bench) -> None:
    """No worker hangs at the deadline."""
    takers = [asyncio.create_task(bench.queue.take(within=LONG)) for _ in range(3)]
    await bench.settled()
    bench.queue.abandon()
    assert await asyncio.gather(*takers) == [None] * 3


async def test_after_abandoning_nothing_is_handed_out(bench: Bench) -> None:
    """Neither what was in the window, nor what is put back, nor what a read brings late."""
    bench.put(3)
    mail = await bench.take()
    bench.journal.may_read.clear()
    bench.queue.wake()
    await bench.settled()
    bench.queue.abandon()
    bench.journal.may_read.set()
    await bench.settled()
    bench.queue.put_back(mail)
    assert await bench.queue.take(within=LONG) is None
