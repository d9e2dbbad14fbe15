"""How the queue ends: drained to the last retry, or abandoned at the deadline."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from app.domain.alert import Severity
from app.pipeline.queue import WINDOW
from tests.support.clock import NOW
from tests.support.factories import AMBIGUOUS, verdict_on
from tests.support.queue_bench import LANE, LONG, Bench

HOUR = timedelta(hours=1)


async def finish(bench: Bench) -> None:
    """Wait until the queue says that nothing is left."""
    async with asyncio.timeout(30):
        while not bench.queue.finished:
            await asyncio.sleep(0)


async def test_a_drain_of_nothing_finishes_at_once(bench: Bench) -> None:
    """Whoever waits is let go."""
    taker = asyncio.create_task(bench.queue.take(within=LONG, lane=LANE))
    await bench.settled()
    bench.queue.drain()
    await finish(bench)
    assert await taker is None
    assert await bench.queue.take(within=LONG, lane=LANE) is None


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
    takers = [asyncio.create_task(bench.queue.take(within=LONG, lane=LANE)) for _ in range(3)]
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
    assert await bench.queue.take(within=LONG, lane=LANE) is None
