"""Probes: what is measured, and when a relay is said to lose mail."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.domain.ids import IdSource
from app.domain.outcome import Outcome
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
        self.readable = True
        self.hurried = 0
        self.desk = ProbeDesk(
            relays=["mx1", "mx2"],
            send=self._send,
            ids=IdSource(),
            clock=self.clock,
            every=timedelta(minutes=15),
            alarm_after=ALARM_AFTER,
            mailbox_read_at=lambda: self.clock.seconds if self.readable else None,
            on_sent=self._hurry,
        )

    def _hurry(self) -> None:
        self.hurried += 1

    async def _send(self, relay: str, number: int) -> Sequence[Outcome]:
        if relay in self.down:
            return [RELAY_DOWN]
        self.sent[relay].append(number)
        return [SENT]

    async def probe(self) -> None:
        """Send one over each relay."""
        for line in self.desk._lines.values():
            await self.desk._probe(line)


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
    assert site.desk.arrived(site.sent["mx1"][0]) == timedelta(seconds=3)
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


async def test_a_mailbox_that_nobody_can_read_accuses_no_relay(site: Site) -> None:
    """It has an alarm of its own."""
    await site.probe()
    site.readable = False
    site.clock.pass_time(ALARM_AFTER * 2)
    assert site.desk.troubles() == []


async def test_a_late_arrival_ends_the_trouble(site: Site) -> None:
    """And is measured all the same."""
    await site.probe()
    site.clock.pass_time(ALARM_AFTER * 2)
    assert len(site.desk.troubles()) == 2
    for numbers in site.sent.values():
        assert site.desk.arrived(numbers[0]) == ALARM_AFTER * 2
    assert site.desk.troubles() == []


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


async def test_what_the_relay_did_not_take_is_not_missing(site: Site) -> None:
    """A relay that is down is told by the watch."""
    site.down = {"mx1", "mx2"}
    await site.probe()
    site.clock.pass_time(ALARM_AFTER * 2)
    assert site.desk.troubles() == []
    assert not site.desk.is_expecting


async def test_probes_of_an_earlier_run_are_no_news(site: Site) -> None:
    """Nor is one that comes twice."""
    await site.probe()
    number = site.sent["mx1"][0]
    assert site.desk.arrived(number) is not None
    assert site.desk.arrived(number) is None
    assert site.desk.arrived(12345) is None


async def test_memory_is_bounded_while_none_arrives(site: Site) -> None:
    """A relay that loses mail for weeks; the oldest one still tells since when."""
    for _ in range(150):
        await site.probe()
        site.clock.pass_time(MINUTE)
    line = site.desk._lines["mx1"]
    assert len(line.under_way) == 100
    (first, *_) = site.desk.troubles()
    assert first.facts["waited_seconds"] == str(150 * 60)
