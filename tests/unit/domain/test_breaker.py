"""The breaker: it spares a relay that is down, and finds out when it is back."""

import pytest

from app.domain.breaker import Breaker
from app.domain.outcome import Deferred
from tests.support.factories import RELAY_DOWN, WRONG_PASSWORD

START = 1000.0


def tripped(fault: Deferred = RELAY_DOWN, *, random: float = 0.5) -> Breaker:
    """Return a breaker that was tripped at the start."""
    breaker = Breaker(now=START)
    breaker.trip(fault, START, random, ticket=breaker.begin())
    return breaker


def probe(breaker: Breaker, fault: Deferred = RELAY_DOWN, *, random: float = 0.5) -> float:
    """Let the next probe fail as soon as it may be made; return for how long nothing is tried after it."""
    now = breaker.retry_at
    assert breaker.admits(now)
    assert breaker.trip(fault, now, random, ticket=breaker.begin())
    return breaker.retry_at - now


def test_everything_is_admitted_while_the_relay_works() -> None:
    """Any number of attempts run at once."""
    breaker = Breaker(now=START)
    for _ in range(3):
        assert breaker.admits(START)
        breaker.begin()


def test_nothing_is_admitted_during_the_pause() -> None:
    """After a fault the relay is left alone until the pause is over."""
    breaker = tripped()
    assert not breaker.admits(breaker.retry_at - 0.001)
    assert breaker.admits(breaker.retry_at)


def test_one_probe_at_a_time() -> None:
    """While the probe is out nobody else tries."""
    breaker = tripped()
    breaker.begin()
    assert not breaker.admits(START + 3600)


def test_a_probe_that_came_to_nothing_makes_room_for_another() -> None:
    """A probe that never reached the relay does not close it for ever."""
    breaker = tripped()
    breaker.give_up(breaker.begin())
    assert breaker.admits(breaker.retry_at)
    assert breaker.fault is RELAY_DOWN


def test_a_late_failure_is_not_taken_for_the_probes() -> None:
    """An attempt from before the fault that fails while the probe is out says nothing new, nor makes room."""
    breaker = Breaker(now=START)
    early, late = breaker.begin(), breaker.begin()
    breaker.trip(RELAY_DOWN, START, 0.5, ticket=early)
    breaker.begin()
    assert not breaker.trip(RELAY_DOWN, START + 5, 0.5, ticket=late)
    breaker.give_up(late)
    assert not breaker.admits(START + 5)
    assert breaker.failures == 1


def test_the_pauses_grow_up_to_a_minute() -> None:
    """1, 2, 5, 15, 30, 60 s, and no longer; here at half of their full jitter."""
    breaker = tripped()
    pauses = [breaker.retry_at - START, *(probe(breaker) for _ in range(7))]
    assert pauses == [0.5, 1, 2.5, 7.5, 15, 30, 30, 30]


def test_a_fault_of_the_settings_pauses_for_minutes() -> None:
    """A wrong password tried often locks the account: 1 to 15 min, without jitter."""
    breaker = tripped(WRONG_PASSWORD, random=0)
    pauses = [breaker.retry_at - START, *(probe(breaker, WRONG_PASSWORD, random=0) for _ in range(5))]
    assert [pause / 60 for pause in pauses] == [1, 2, 4, 8, 15, 15]


def test_several_failures_at_once_count_once() -> None:
    """Four connections that die together are one fault, and only the first is news."""
    breaker = Breaker(now=START)
    tickets = [breaker.begin() for _ in range(4)]
    news = [breaker.trip(RELAY_DOWN, START + n, 0.5, ticket=ticket) for n, ticket in enumerate(tickets)]
    assert news == [True, False, False, False]
    assert breaker.failures == 1
    assert breaker.retry_at == START + 0.5


def test_a_probe_that_succeeds_closes_it() -> None:
    """Everything runs again, and the next fault starts from the shortest pause."""
    breaker = tripped()
    probe(breaker)
    breaker.begin()
    assert breaker.reset(START + 10)
    assert not breaker.reset(START + 10)
    assert (breaker.fault, breaker.failures) == (None, 0)
    assert breaker.admits(START + 10)


def test_the_probe_can_be_made_earlier() -> None:
    """A drain does not wait for the end of the pause, and an end that is past stays so."""
    breaker = tripped()
    breaker.probe_now(START)
    assert breaker.admits(START)
    breaker.probe_now(START + 50)
    assert breaker.retry_at == START


@pytest.mark.parametrize(
    ("now", "usable"),
    [(START + 10, 110), (START + 20.5, 110), (START + 40, 110), (START + 45, 115)],
    ids=["at the fault", "in the pause", "at the recovery", "after it"],
)
def test_usable_time_passes_only_while_it_is_closed(now: float, usable: int) -> None:
    """The lifetime of mails stands still while no relay takes them."""
    breaker = Breaker(now=START, usable_seconds=100)
    breaker.trip(RELAY_DOWN, START + 10, 0.5, ticket=breaker.begin())
    if now > START + 10:
        breaker.trip(RELAY_DOWN, START + 20, 0.5, ticket=breaker.begin())
    if now >= START + 40:
        breaker.reset(START + 40)
    assert breaker.usable_seconds(now) == usable
