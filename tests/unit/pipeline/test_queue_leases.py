"""Leases: the journal knows which mails may be under way, before any of them is."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.domain.alert import Severity
from app.pipeline import queue as queue_module
from app.pipeline.queue import LEASE, LEASE_LOW_WATER, WINDOW
from tests.support.queue_bench import Bench


async def test_a_mail_is_handed_out_once_its_lease_is_durable(bench: Bench) -> None:
    """After a crash every mail that may have been sent is known."""
    bench.journal.holds_leases = True
    taker = asyncio.create_task(bench.take())
    (envelope,) = bench.put()
    await bench.settled()
    assert not taker.done()
    assert bench.journal.leases == [{envelope}]
    bench.journal.lease_commits[0].set_result(None)
    assert (await taker).envelope.id == envelope


async def test_a_lease_that_is_held_up_holds_up_only_itself(bench: Bench) -> None:
    """What is ready goes on while the disk takes its time over the next lease, and so does what is put back."""
    await bench.ready()
    made = bench.put(LEASE + 1)
    await bench.settled()
    bench.journal.holds_leases = True
    assert await bench.take_ids(LEASE) == made[:LEASE]
    bench.queue.put_back(bench.journal.entries[made[0]].mail)
    assert await bench.take_ids(1) == made[:1]
    await bench.take_nothing()
    bench.journal.lease_commits[-1].set_result(None)
    assert await bench.take_ids(1) == made[-1:]


async def test_a_lease_is_of_all_that_may_be_under_way(bench: Bench) -> None:
    """What is out or ready stays in it, what is settled does not."""
    made = bench.put(2 * LEASE)
    taken = await bench.take_ids(LEASE - LEASE_LOW_WATER - 1)
    await bench.send(taken[0])
    await bench.take_ids(1)
    assert bench.journal.leases == [set(made[:LEASE]), set(made[1:])]


async def test_few_mails_are_leased(bench: Bench) -> None:
    """A crash flags a few dozens, however many wait."""
    made = bench.put(2 * WINDOW)
    for _ in made:
        (envelope,) = await bench.take_ids(1)
        await bench.send(envelope)
    assert max(map(len, bench.journal.leases)) <= LEASE + LEASE_LOW_WATER + 1


async def test_nothing_is_leased_while_no_worker_comes(bench: Bench) -> None:
    """Behind a relay that is dead for a weekend no mail is under way, and a crash flags none."""
    bench.put(5)
    await bench.settled()
    assert bench.journal.leases == []


async def test_leases_that_nobody_asks_for_are_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was ready when the relay died is not under way any more; the mail that a worker has still is."""
    made = bench.put(5)
    await bench.take()
    with monkeypatch.context() as soon:
        soon.setattr(queue_module, "IDLE_LEASE_SECONDS", 0)
        bench.queue.wake()
        await bench.settled()
    assert bench.journal.leases == [set(made), set(made[:1])]
    assert await bench.take_ids(4) == made[1:]


async def test_a_mail_that_cannot_be_leased_is_not_sent(bench: Bench) -> None:
    """The journal has been closed for good: the mail waits for the next start, and the log says so."""
    await bench.ready()
    bench.journal.holds_leases = True
    bench.put()
    await bench.settled()
    with capture_logs() as logs:
        bench.journal.lease_commits[0].set_exception(OSError("disk"))
        await bench.take_nothing()
    assert [line["event"] for line in logs] == ["lease_failed"]


async def test_a_lease_that_comes_after_the_end_hands_out_nothing(bench: Bench) -> None:
    """At the deadline of a stop no new mail is begun."""
    await bench.ready()
    bench.journal.holds_leases = True
    bench.put()
    await bench.settled()
    bench.queue.abandon()
    bench.journal.lease_commits[0].set_result(None)
    await bench.take_nothing()


async def test_a_drain_waits_for_a_lease(bench: Bench) -> None:
    """What is being leased is still to be sent."""
    await bench.ready()
    bench.journal.holds_leases = True
    (envelope,) = bench.put()
    bench.queue.drain()
    await bench.settled()
    assert not bench.queue.finished
    bench.journal.lease_commits[0].set_result(None)
    assert await bench.take_ids(1) == [envelope]


async def test_a_put_back_mail_stays_in_front_of_its_equals(bench: Bench) -> None:
    """A new lease of more severe mail overtakes it, and nothing else does."""
    low = bench.put(LEASE, severity=Severity.INFO)
    mail = await bench.take()
    (critical,) = bench.put(severity=Severity.CRITICAL)
    bench.queue.put_back(mail)
    bench.queue.wake(Severity.CRITICAL)
    await bench.settled()
    assert await bench.take_ids(LEASE + 1) == [critical, *low]


# Withdrawing


async def test_a_withdrawn_mail_is_not_handed_out(bench: Bench) -> None:
    """Be it ready or waiting in the window, whoever withdrew it settles it alone."""
    await bench.ready()
    made = bench.put(2 * LEASE)
    await bench.settled()
    assert bench.journal.leases == [set(made[:LEASE])]
    assert bench.queue.withdraw(made[0])
    assert bench.queue.withdraw(made[-1])
    assert await bench.take_ids(2 * LEASE - 2) == made[1:-1]
    await bench.take_nothing()


async def test_a_mail_that_waits_in_the_journal_can_be_withdrawn(bench: Bench) -> None:
    """It is not read before it is settled."""
    (envelope,) = bench.put(due_in=timedelta(minutes=1))
    assert bench.queue.withdraw(envelope)
    bench.clock.pass_time(timedelta(minutes=1))
    bench.queue.wake()
    await bench.take_nothing()


async def test_a_read_that_began_before_does_not_bring_it_back(bench: Bench) -> None:
    """The journal may answer late."""
    bench.journal.may_read.clear()
    (envelope,) = bench.put()
    await bench.settled()
    assert bench.queue.withdraw(envelope)
    bench.journal.may_read.set()
    await bench.take_nothing()


async def test_a_mail_that_may_be_under_way_is_not_withdrawn(bench: Bench) -> None:
    """Neither one that a worker has nor one that is about to be ready; once settled it can be."""
    (out,) = bench.put()
    await bench.take()
    bench.journal.holds_leases = True
    (leasing,) = bench.put()
    await bench.settled()
    assert not bench.queue.withdraw(out)
    assert not bench.queue.withdraw(leasing)
    await bench.defer(out)
    assert bench.queue.withdraw(out)
