"""The link: workers wait for their relay together, and go on together."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.link import RelayLink
from tests.support.clock import FakeClock
from tests.support.factories import RELAY_DOWN, WRONG_PASSWORD
from tests.support.fake_relay import FakeRelay

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def link(clock: FakeClock) -> RelayLink:
    """A link to a relay that works."""
    return RelayLink(name="mx1", connect=FakeRelay().connect, clock=clock, usable_seconds=100)


async def waiting(link: RelayLink, count: int = 1) -> list[asyncio.Task[bool]]:
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
    link.trip(RELAY_DOWN)
    link.drain()  # ends the pause
    tasks = await waiting(link, 4)
    assert sum(task.done() for task in tasks) == 1
    link.works()
    assert await asyncio.gather(*tasks) == [True] * 4


async def test_a_probe_that_came_to_nothing_lets_the_next_one_try(link: RelayLink) -> None:
    """One more is admitted, and the fault stays."""
    link.trip(RELAY_DOWN)
    link.drain()
    tasks = await waiting(link, 3)
    link.untried()
    await asyncio.sleep(0)
    await waiting(link, 0)
    assert sum(task.done() for task in tasks) == 2
    assert link.fault is RELAY_DOWN
    link.stop()
    await asyncio.gather(*tasks)


async def test_a_stopped_link_admits_nobody(link: RelayLink) -> None:
    """Whoever waits is told at once, and so is whoever comes later."""
    link.trip(WRONG_PASSWORD)
    tasks = await waiting(link, 3)
    link.stop()
    assert await asyncio.gather(*tasks, link.admitted()) == [False] * 4


async def test_it_tells_for_how_long_no_mail_could_leave(link: RelayLink, clock: FakeClock) -> None:
    """From the first fault to the recovery."""
    link.trip(RELAY_DOWN)
    clock.pass_time(MINUTE)
    assert link.blocked_for == MINUTE
    link.works()
    assert link.blocked_for == timedelta()


async def test_usable_time_goes_on_from_earlier_runs(link: RelayLink, clock: FakeClock) -> None:
    """It counts while the relay works, and stands still while it does not."""
    clock.pass_time(MINUTE)
    link.trip(RELAY_DOWN)
    clock.pass_time(MINUTE)
    assert link.usable_seconds() == 160


async def test_a_fault_is_logged_once(link: RelayLink) -> None:
    """Four connections that die together make one line, with no secret in it, and so does the recovery."""
    with capture_logs() as logs:
        for _ in range(4):
            link.trip(WRONG_PASSWORD)
        link.works()
        link.works()
    assert [line["event"] for line in logs] == ["relay_fault", "relay_recovered"]
    assert (logs[0]["scope"], logs[0]["reply"], logs[0]["retry_in_seconds"]) == ("configuration", "535 5.7.8 no", 60)


async def test_a_drain_of_a_relay_that_failed_twice_is_hopeless(link: RelayLink) -> None:
    """The probe of a drain decides; a fault that is new in the drain gets its probe too."""
    link.drain()
    link.trip(RELAY_DOWN)
    assert not link.hopeless
    link.drain()
    assert await link.admitted()
    link.trip(RELAY_DOWN)
    assert link.hopeless
    assert not await link.admitted()
