"""The link: workers wait for their relay together, and go on together."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.link import RelayLink
from app.domain.outcome import Outcome, Reply
from tests.support.clock import FakeClock
from tests.support.factories import DEFERRED, REFUSED, RELAY_DOWN, SENT, WRONG_PASSWORD
from tests.support.fake_relay import FakeRelay

MINUTE = timedelta(minutes=1)
EARLIER = -1  # the ticket of an attempt that is not the probe


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def link(clock: FakeClock) -> RelayLink:
    """A link to a relay that works."""
    return RelayLink(name="mx1", connect=FakeRelay().connect, clock=clock, usable_seconds=100)


async def waiting(link: RelayLink, count: int = 1) -> list[asyncio.Task[int | None]]:
    """Return tasks that wait to be admitted."""
    tasks = [asyncio.create_task(link.admitted()) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_a_relay_that_works_admits_everybody(link: RelayLink) -> None:
    """No attempt waits for another."""
    assert all(task.done() and task.result() for task in await waiting(link, 3))
    assert (link.fault, link.blocked_for, link.hopeless) == (None, timedelta(), False)


async def test_a_relay_that_is_back_admits_all_who_waited(link: RelayLink) -> None:
    """One is the probe; when it succeeds the others go on at once."""
    link.trip(RELAY_DOWN, EARLIER)
    link.drain()  # ends the pause
    tasks = await waiting(link, 4)
    assert sum(task.done() for task in tasks) == 1
    link.works([SENT])
    assert None not in await asyncio.gather(*tasks)


async def test_a_probe_that_came_to_nothing_lets_the_next_one_try(link: RelayLink) -> None:
    """One more is admitted, and the fault stays."""
    link.trip(RELAY_DOWN, EARLIER)
    link.drain()
    tasks = await waiting(link, 3)
    link.untried(next(task.result() or 0 for task in tasks if task.done()))
    await asyncio.sleep(0)
    await waiting(link, 0)
    assert sum(task.done() for task in tasks) == 2
    assert link.fault is RELAY_DOWN
    link.stop()
    await asyncio.gather(*tasks)


async def test_a_stopped_link_admits_nobody(link: RelayLink) -> None:
    """Whoever waits is told at once, and so is whoever comes later."""
    link.trip(WRONG_PASSWORD, EARLIER)
    tasks = await waiting(link, 3)
    link.stop()
    assert await asyncio.gather(*tasks, link.admitted()) == [None] * 4


@pytest.mark.parametrize("answer", [SENT, REFUSED], ids=["sent", "refused"])
async def test_it_tells_for_how_long_no_mail_could_leave(link: RelayLink, clock: FakeClock, answer: Outcome) -> None:
    """From the first attempt that came to nothing, be it by a fault or a "later", to the first that is done with."""
    await link.admitted()
    clock.pass_time(MINUTE)
    link.works([DEFERRED])
    clock.pass_time(MINUTE)
    assert (link.blocked_for, link.last_reason) == (2 * MINUTE, "the relay deferred the mail (451 4.3.0 later)")
    link.works([DEFERRED, answer])
    assert (link.blocked_for, link.last_reason) == (timedelta(), "")


async def test_usable_time_goes_on_from_earlier_runs(link: RelayLink, clock: FakeClock) -> None:
    """It counts while the relay works, and stands still while it does not."""
    clock.pass_time(MINUTE)
    link.trip(RELAY_DOWN, EARLIER)
    clock.pass_time(MINUTE)
    assert link.usable_seconds() == 160


async def test_a_fault_is_logged_once(link: RelayLink) -> None:
    """Four connections that die together make one line, with no secret in it, and so does the recovery."""
    with capture_logs() as logs:
        for _ in range(4):
            link.trip(WRONG_PASSWORD, EARLIER)
        link.works([SENT])
        link.works([SENT])
    assert [line["event"] for line in logs] == ["relay_fault", "relay_recovered"]
    assert (logs[0]["scope"], logs[0]["reply"], logs[0]["retry_in_seconds"]) == ("configuration", "535 5.7.8 no", 60)


async def test_a_drain_of_a_relay_that_failed_twice_is_hopeless(link: RelayLink) -> None:
    """The probe of a drain decides; a fault that is new in the drain gets its probe too."""
    link.drain()
    link.trip(RELAY_DOWN, EARLIER)
    assert not link.hopeless
    link.drain()
    probe = await link.admitted()
    assert probe is not None
    link.trip(RELAY_DOWN, probe)
    assert link.hopeless
    assert await link.admitted() is None


async def test_a_relay_that_refuses_every_sender_is_noticed(link: RelayLink) -> None:
    """The fifth refusal of MAIL in a row with the same code is the relay's; any other answer starts anew."""
    refusal = Reply(550, "no such sender")
    assert [link.refuses_every_sender(refusal) for _ in range(4)] == [False] * 4
    assert link.refuses_every_sender(refusal)
    assert not link.refuses_every_sender(None)
    assert not link.refuses_every_sender(refusal)
    assert not link.refuses_every_sender(Reply(553, "not yours"))
