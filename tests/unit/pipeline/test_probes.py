"""Probes: what is measured, and when a relay is said to lose mail."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.domain.ids import IdSource
from app.domain.outcome import Outcome
from app.pipeline import probes
from app.pipeline.probes import ProbeDesk
from tests.support.clock import FakeClock
from tests.support.factories import RELAY_DOWN, SENT

ALARM_AFTER = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


class Site:
    """Two relays, and a mailbox that was looked at just now unless a test says otherwise."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sent: dict[str, list[int]] = {"mx1": [], "mx2": []}
        self.down: set[str] = set()
        self.broken: set[str] = set()
        self.readable_for: timedelta | None = timedelta(days=1)
        self.hurried = 0
        self.arrives_at_once = False
        self.desk = ProbeDesk(
            relays=["mx1", "mx2"],
            send=self._send,
            ids=IdSource(),
            clock=self.clock,
            every=timedelta(minutes=15),
            alarm_after=ALARM_AFTER,
            readable_for=lambda: self.readable_for,
            on_sent=self._hurry,
        )

    def _hurry(self) -> None:
        self.hurried += 1

    async def _send(self, relay: str, number: int) -> Sequence[Outcome]:
        if relay in self.broken:
            raise ZeroDivisionError
        if relay in self.down:
            return [RELAY_DOWN]
        self.sent[relay].append(number)
        if self.arrives_at_once:
            self.desk.arrived(number)
        return [SENT]

    async def probe(self) -> None:
        """Send one over each relay."""
        await self.desk.probe_all()


@pytest.fixture
def site() -> Site:
    """A site whose probes are sent by hand."""
    return Site()


async def test_the_round_trip_is_measured(site: Site) -> None:
    """From the relay's 250 until the mailbox shows it; then it is in the vitals."""
    await site.probe()
    assert site.desk.is_expecting
    assert site.hurried == 2
    site.clock.pass_time(timedelta(seconds=3))
    site.desk.arrived(site.sent["mx1"][0])
    first, second = site.desk.vitals()
    assert (first.relay, first.round_trip_s, first.is_missing) == ("mx1", 3.0, False)
    assert second.round_trip_s is None


async def test_a_probe_that_does_not_come_is_told_over_another_relay(site: Site) -> None:
    """The relay that loses mail must not be asked to say so."""
    await site.probe()
    site.desk.arrived(site.sent["mx2"][0])
    site.clock.pass_time(ALARM_AFTER - MINUTE)
    assert site.desk.troubles() == []
    site.clock.pass_time(MINUTE)
    (alarm,) = site.desk.troubles()
    assert (alarm.cause, alarm.not_over) == ("probe: mx1", "mx1")
    assert "Those over other relays do arrive" in alarm.text
    assert [vitals.is_missing for vitals in site.desk.vitals()] == [True, False]
    assert not site.desk.is_expecting


@pytest.mark.parametrize("readable_for", [None, timedelta(seconds=2)], ids=["not-at-all", "again-for-two-seconds"])
async def test_a_mailbox_that_nobody_could_read_accuses_no_relay(site: Site, readable_for: timedelta | None) -> None:
    """It has an alarm of its own, and what waits in queues comes once the mailbox is back."""
    await site.probe()
    site.readable_for = readable_for
    site.clock.pass_time(ALARM_AFTER * 18)
    assert site.desk.troubles() == []


async def test_a_late_arrival_ends_the_trouble(site: Site) -> None:
    """And is measured all the same."""
    await site.probe()
    site.clock.pass_time(ALARM_AFTER * 2)
    assert len(site.desk.troubles()) == 2
    for numbers in site.sent.values():
        site.desk.arrived(numbers[0])
    assert site.desk.troubles() == []
    assert [vitals.round_trip_s for vitals in site.desk.vitals()] == [1200.0, 1200.0]


async def test_a_probe_that_is_there_before_the_relay_says_goodbye_counts(site: Site) -> None:
    """A mailbox on the same machine is quicker than a QUIT."""
    site.arrives_at_once = True
    await site.probe()
    site.clock.pass_time(ALARM_AFTER * 2)
    assert site.desk.troubles() == []
    assert [vitals.round_trip_s for vitals in site.desk.vitals()] == [0.0, 0.0]


async def test_none_is_sent_before_the_first_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look leaves alone whatever is there; then they are sent at once."""
    monkeypatch.setattr(probes, "FIRST_LOOK_S", 0.001)
    site.readable_for = None
    running = asyncio.create_task(site.desk.run())
    await asyncio.sleep(0.05)
    assert site.sent == {"mx1": [], "mx2": []}
    site.readable_for = timedelta()
    async with asyncio.timeout(30):
        while not site.sent["mx2"]:
            await asyncio.sleep(0.001)
    running.cancel()


async def test_one_lost_probe_is_over_when_the_next_arrives(site: Site) -> None:
    """The relay has shown that it delivers."""
    await site.probe()
    site.clock.pass_time(ALARM_AFTER * 2)
    await site.probe()
    assert len(site.desk.troubles()) == 2
    site.clock.pass_time(MINUTE)
    for numbers in site.sent.values():
        site.desk.arrived(numbers[1])
    assert site.desk.troubles() == []


async def test_a_relay_that_takes_no_probe_is_told_of_after_a_while(site: Site) -> None:
    """With its words; one that was only restarting is not."""
    site.down = {"mx1", "mx2"}
    await site.probe()
    assert not site.desk.is_expecting
    assert site.desk.troubles() == []
    site.clock.pass_time(ALARM_AFTER)
    site.down = {"mx1"}
    await site.probe()
    (alarm,) = site.desk.troubles()
    assert (alarm.cause, alarm.not_over) == ("probe: mx1", "mx1")
    assert RELAY_DOWN.reason in alarm.text


async def test_a_probe_that_comes_back_is_told_of_at_once(site: Site) -> None:
    """Nothing needs to be waited for: the server has said why."""
    await site.probe()
    site.desk.came_back(site.sent["mx1"][0], "550 5.1.1 no such user")
    site.desk.came_back(4711, "nobody knows this one")
    (alarm,) = site.desk.troubles()
    assert "550 5.1.1 no such user" in alarm.text
    await site.probe()
    assert site.desk.troubles() == []


async def test_a_fault_of_ours_ends_no_round(site: Site) -> None:
    """The other relay is probed, and this one again next time."""
    site.broken = {"mx1"}
    await site.probe()
    assert [len(numbers) for numbers in site.sent.values()] == [0, 1]
    site.broken = set()
    await site.probe()
    assert [len(numbers) for numbers in site.sent.values()] == [1, 2]


async def test_probes_of_an_earlier_run_are_no_news(site: Site) -> None:
    """Nor is one that comes twice."""
    await site.probe()
    number = site.sent["mx1"][0]
    site.desk.arrived(number)
    site.clock.pass_time(MINUTE)
    for known in (number, 12345):
        site.desk.arrived(known)
    assert site.desk.vitals()[0].last_arrival_age == MINUTE


async def test_memory_is_bounded_while_none_arrives(site: Site) -> None:
    """A relay that loses mail for weeks; the oldest one still tells since when."""
    for _ in range(150):
        await site.probe()
        site.clock.pass_time(MINUTE)
    line = site.desk._lines["mx1"]
    assert len(line._under_way) == 100
    (first, *_) = site.desk.troubles()
    assert first.facts["waited_seconds"] == str(150 * 60)
