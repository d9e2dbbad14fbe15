"""How often people hear of a trouble: the watch and the alarm desk together."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.vitals import RelayVitals
from app.pipeline.alarm_desk import AlarmDesk
from app.pipeline.watch import Watch
from tests.support.alarms import NotingSink
from tests.support.clock import FakeClock
from tests.support.memory_journal import MemoryJournal

HANG = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
HOURS = 60  # minutes
Outage = Callable[[int], bool]  # whether there is one in this minute


class EmptyJournal:
    """A journal in which nothing waits."""

    fault = quarantine = ""
    open_count = 0

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return None: nothing waits."""

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime
    ) -> list[QueuedMail]:
        """Return nothing."""
        return []


class Site:
    """A daemon with one relay, which is looked at once a minute; it can be started anew."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.memory = MemoryJournal()
        self.sink = NotingSink()
        self.minute = 0
        self.told: list[int] = []  # the minutes in which an alarm went out

    async def run(self, outage: Outage, *, until: int) -> None:
        """Start the daemon, and let it run until this minute."""
        desk = AlarmDesk(sinks=[self.sink], memory=self.memory, clock=self.clock)
        watch = Watch(
            journal=EmptyJournal(),
            clock=self.clock,
            running_seconds=lambda: 0,
            relays=lambda: (RelayVitals(name="mx1", usable=not outage(self.minute), reason="down"),),
            patience=timedelta(),
            known_at=None,
            desk=desk,
        )
        running = asyncio.create_task(desk.run())
        while self.minute < until:
            await watch.look()
            await desk.finish(within=HANG)
            self.told += [self.minute] * (len(self.sink.taken) - len(self.told))
            self.minute += 1
            self.clock.pass_time(MINUTE)
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture
def site() -> Site:
    """A site with nothing told yet."""
    return Site()


async def test_an_outage_that_lasts_is_told_every_six_hours(site: Site) -> None:
    """A night is not full of alarms, a weekend not without one."""
    await site.run(lambda minute: minute >= 10, until=24 * HOURS)
    assert site.told == [10, 10 + 6 * HOURS, 10 + 12 * HOURS, 10 + 18 * HOURS]


async def test_an_outage_soon_after_another_is_told_once_the_hour_is_over(site: Site) -> None:
    """And not six hours late: people think that the first one is mended."""
    await site.run(lambda minute: minute < 5 or minute >= 50, until=8 * HOURS)
    assert site.told == [0, 60, 60 + 6 * HOURS]


async def test_an_outage_long_after_another_is_told_at_once(site: Site) -> None:
    """However long the first one lasted."""
    await site.run(lambda minute: minute < 8 * HOURS or minute >= 9 * HOURS, until=10 * HOURS)
    assert site.told == [0, 6 * HOURS, 9 * HOURS]


async def test_a_relay_that_comes_and_goes_is_told_once_an_hour(site: Site) -> None:
    """With the number of outages that were over before they could be told."""
    await site.run(lambda minute: minute % 20 < 10, until=3 * HOURS)
    assert site.told == [0, 60, 120]
    assert [alarm.facts.get("kept_back") for alarm in site.sink.taken] == [None, "2", "2"]


async def test_an_outage_after_a_start_is_told_once_the_hour_is_over(site: Site) -> None:
    """The journal remembers the alarm of the run before."""
    await site.run(lambda minute: minute < 5, until=20)
    await site.run(lambda minute: minute >= 50, until=8 * HOURS)
    assert site.told == [0, 60, 60 + 6 * HOURS]


async def test_an_outage_over_a_start_is_told_once_the_hour_is_over(site: Site) -> None:
    """Nobody knows whether it is the same one; it is not told twice in the hour."""
    await site.run(lambda minute: True, until=20)
    await site.run(lambda minute: True, until=8 * HOURS)
    assert site.told == [0, 60, 60 + 6 * HOURS]
