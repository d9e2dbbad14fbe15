"""All relays together: the first of those that work send, and time counts while any of them does."""

from datetime import timedelta

import pytest

from app.delivery.connection import SendResult
from app.delivery.link import RelayLink
from app.delivery.relays import Relays
from app.domain.relay import RelayPolicy
from app.domain.vitals import RelayVitals
from tests.support.clock import FakeClock
from tests.support.factories import DEFERRED, RELAY_DOWN, WRONG_PASSWORD
from tests.support.fake_relay import FakeRelay

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


def some_relays(clock: FakeClock, *priorities: int, usable_seconds: float = 0) -> Relays:
    """Return relays mx1, mx2, … of these priorities."""
    links = [
        RelayLink(name=f"mx{number}", policy=RelayPolicy(priority=priority), connect=FakeRelay().connect, clock=clock)
        for number, priority in enumerate(priorities, start=1)
    ]
    return Relays(links, clock=clock, usable_seconds=usable_seconds)


def trip(*links: RelayLink) -> None:
    """Let these relays be down."""
    for link in links:
        link.trip(RELAY_DOWN, link.epoch)


def active(relays: Relays) -> list[str]:
    """Return which relays send."""
    return [link.name for link in relays.links if link.is_active]


@pytest.mark.parametrize(
    ("priorities", "first"),
    [((1,), ["mx1"]), ((2, 1), ["mx2"]), ((1, 1, 2), ["mx1", "mx2"])],
    ids=["one", "in order", "equals"],
)
async def test_the_first_ones_send(clock: FakeClock, priorities: tuple[int, ...], first: list[str]) -> None:
    """The lowest priority goes first, and equals go together."""
    assert active(some_relays(clock, *priorities)) == first


async def test_the_next_one_takes_over_at_once(clock: FakeClock) -> None:
    """And the first one is back as soon as it works."""
    relays = some_relays(clock, 1, 2, 3)
    first, second, _ = relays.links
    trip(first)
    assert active(relays) == ["mx2"]
    trip(second)
    assert active(relays) == ["mx3"]
    first.recovered()
    assert active(relays) == ["mx1"]


async def test_one_of_two_equals_goes_on_alone(clock: FakeClock) -> None:
    """The next priority is for when none of them works."""
    relays = some_relays(clock, 1, 1, 2)
    trip(relays.links[0])
    assert active(relays) == ["mx2"]


async def test_with_none_that_works_none_sends(clock: FakeClock) -> None:
    """Mail waits then."""
    relays = some_relays(clock, 1, 2)
    trip(*relays.links)
    assert active(relays) == []


async def test_vitals_say_how_each_relay_is(clock: FakeClock) -> None:
    """In words, and whether somebody has to change something."""
    relays = some_relays(clock, 1, 2, 3)
    trip(relays.links[0])
    relays.links[1].trip(WRONG_PASSWORD, 0)
    assert relays.vitals() == (
        RelayVitals(name="mx1", usable=False, reason="the relay refuses connections"),
        RelayVitals(
            name="mx2",
            usable=False,
            reason="the relay refused the password (535 5.7.8 no)",
            is_configuration=True,
        ),
        RelayVitals(name="mx3", usable=True),
    )


# Usable time


async def test_usable_time_goes_on_from_earlier_runs(clock: FakeClock) -> None:
    """It counts while the relay works, and stands still while it does not."""
    relays = some_relays(clock, 1, usable_seconds=100)
    clock.pass_time(MINUTE)
    trip(relays.links[0])
    clock.pass_time(MINUTE)
    assert relays.usable_seconds() == 160
    relays.links[0].recovered()
    clock.pass_time(MINUTE)
    assert relays.usable_seconds() == 220


async def test_time_is_usable_while_any_relay_works(clock: FakeClock) -> None:
    """A mail grows old as long as there is a relay that could take it."""
    relays = some_relays(clock, 1, 2)
    first, second = relays.links
    trip(first)
    clock.pass_time(MINUTE)
    trip(second)
    clock.pass_time(MINUTE)
    second.recovered()
    clock.pass_time(MINUTE)
    assert relays.usable_seconds() == 120


# Since when no mail could leave


async def test_it_tells_for_how_long_no_mail_could_leave(clock: FakeClock) -> None:
    """From the first attempt that came to nothing, be it by a fault or a "later", to the first that is done with."""
    relays = some_relays(clock, 1)
    relays.trying()
    clock.pass_time(MINUTE)
    relays.links[0].answered(SendResult((DEFERRED,)), 0)
    relays.trying()
    clock.pass_time(MINUTE)
    assert (relays.blocked_for, relays.last_reason) == (2 * MINUTE, "the relay deferred the mail (451 4.3.0 later)")
    relays.mail_left()
    clock.pass_time(MINUTE)
    assert (relays.blocked_for, relays.last_reason) == (timedelta(), "")


async def test_an_idle_system_is_not_blocked(clock: FakeClock) -> None:
    """A relay that fails its probe is no trouble for mail that is not there."""
    relays = some_relays(clock, 1)
    trip(relays.links[0])
    clock.pass_time(MINUTE)
    assert (relays.blocked_for, relays.last_reason) == (timedelta(), "")


async def test_each_relay_has_its_reason(clock: FakeClock) -> None:
    """With several relays the words say which of them does what; one that has nothing to say is left out."""
    relays = some_relays(clock, 1, 2, 3)
    relays.trying()
    trip(relays.links[0])
    relays.links[2].answered(SendResult((DEFERRED,)), 0)
    assert relays.last_reason == (
        "mx1: the relay refuses connections; mx3: the relay deferred the mail (451 4.3.0 later)"
    )


# The end


async def test_a_stop_is_for_all(clock: FakeClock) -> None:
    """Nothing leaves over any relay."""
    relays = some_relays(clock, 1, 2)
    relays.stop()
    assert all(link.ended for link in relays.links)


async def test_a_drain_is_for_all(clock: FakeClock) -> None:
    """Each relay that is down may be probed at once."""
    relays = some_relays(clock, 1, 2)
    trip(*relays.links)
    relays.drain()
    assert [(await link.turn(0)).name for link in relays.links] == ["PROBE", "PROBE"]


async def test_a_relay_that_thinks_about_all_its_mails_lets_the_next_one_send(clock: FakeClock) -> None:
    """Until it answers one of them; with no other relay it stays the one that sends."""
    relays = some_relays(clock, 1, 2)
    first, second = relays.links
    for number in range(first.policy.connections):
        assert active(relays) == ["mx1"]
        first.opened(number)
        first.stalled(number)
    assert active(relays) == ["mx2"]
    first.resumed(0)
    assert active(relays) == ["mx1"]
    first.stalled(0)
    trip(second)
    assert active(relays) == ["mx1"]
