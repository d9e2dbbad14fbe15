"""The queue: a small window on the journal, from which each mail goes to one taker."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.alert import Severity
from app.pipeline import queue as queue_module
from app.pipeline.queue import LEASE, LOW_WATER, WINDOW
from tests.support.queue_bench import Bench

HOUR = timedelta(hours=1)


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
    reads = len(bench.journal.queries)
    bench.queue.wake()
    await bench.take_nothing()
    assert len(bench.journal.queries) > reads


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
    (envelope,) = bench.put(due_in=HOUR)
    await bench.take_nothing()
    bench.clock.pass_time(HOUR)
    bench.queue.wake()
    assert await bench.take_ids(1) == [envelope]


async def test_nothing_within_the_time_is_none(bench: Bench) -> None:
    """A worker learns that it may close its connection; the mail after that goes to the next who asks."""
    await bench.take_nothing()
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


async def test_lanes_are_served_in_turn(bench: Bench) -> None:
    """Relays of equal rank share the work, however many workers of one of them wait."""
    takers = [asyncio.create_task(bench.take(lane)) for lane in ("mx1", "mx1", "mx1", "mx2")]
    await bench.settled()
    for _ in takers[:2]:
        bench.put()
        await bench.settled()
    assert [taker.done() for taker in takers] == [False, False, True, True]
    bench.put(2)
    await asyncio.gather(*takers)


async def test_a_lane_in_which_nobody_waits_is_passed_over(bench: Bench) -> None:
    """A relay that has enough does not hold up the other one."""
    assert await bench.queue.take(within=timedelta(milliseconds=1), lane="mx2") is None
    takers = [asyncio.create_task(bench.take("mx1")) for _ in range(3)]
    await bench.settled()
    made = bench.put(3)
    assert sorted([(await taker).envelope.id for taker in takers]) == made


async def test_what_is_put_back_is_next(bench: Bench) -> None:
    """A mail that was not tried loses nothing of its turn."""
    made = bench.put(3)
    first = await bench.take()
    bench.queue.put_back(first)
    assert await bench.take_ids(3) == made


async def test_what_is_put_back_waits_behind_what_is_more_severe(bench: Bench) -> None:
    """A mail that a relay hangs up at does not keep a critical one that has come meanwhile from leaving."""
    (low,) = bench.put(severity=Severity.INFO)
    mail = await bench.take()
    (critical,) = bench.put(severity=Severity.CRITICAL)
    await bench.settled()
    bench.queue.put_back(mail)
    assert await bench.take_ids(2) == [critical, low]


async def test_what_is_put_back_after_a_rest_waits_behind_what_is_more_severe(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when nobody has come for a mail for long, so that those more severe are in the window again."""
    monkeypatch.setattr(queue_module, "IDLE_LEASE_SECONDS", -1.0)
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.01)
    bench.put(severity=Severity.INFO)
    mail = await bench.take()
    critical = bench.put(5, severity=Severity.CRITICAL)
    await asyncio.sleep(0.05)
    bench.queue.put_back(mail)
    assert await bench.take_ids(6) == [*critical, mail.envelope.id]


async def test_what_two_put_back_keeps_its_order(bench: Bench) -> None:
    """The older of two mails stays the next, whichever of them comes back last."""
    made = bench.put(3)
    older, younger = await bench.take(), await bench.take()
    for mail in (older, younger):
        bench.queue.put_back(mail)
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
    await bench.take_ids(WINDOW - LOW_WATER - LEASE)
    await bench.settled()
    assert len(bench.journal.queries) == reads
    await bench.take_ids(LEASE)
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
    assert bench.queue.fault == "the queue cannot be read: disk"
    bench.queue.wake()
    assert await bench.take_ids(1) == [envelope]
    assert bench.queue.fault == ""


async def test_retries_are_found_without_being_woken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll finds what has become due."""
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 0.01)
    (envelope,) = bench.put(due_in=HOUR)
    await bench.settled()
    bench.clock.pass_time(HOUR)
    assert await bench.take_ids(1) == [envelope]


async def test_a_mail_more_severe_than_all_that_wait_is_the_next(bench: Bench) -> None:
    """A new critical alert waits neither behind a full window nor behind what is ready to go."""
    bench.put(5 * WINDOW, severity=Severity.INFO)
    await bench.ready()
    (critical,) = bench.put(severity=Severity.CRITICAL)
    bench.queue.wake(Severity.CRITICAL)
    await bench.settled()
    assert (await bench.take()).envelope.id == critical
