"""The breaker: it spares a relay that is down, and finds out when it is back."""

from app.domain.breaker import Breaker
from app.domain.outcome import Deferred
from tests.support.factories import RELAY_DOWN, WRONG_PASSWORD

START = 1000.0


def tripped(fault: Deferred = RELAY_DOWN, *, random: float = 0.5) -> Breaker:
    """Return a breaker that was tripped at the start."""
    breaker = Breaker()
    assert breaker.trip(fault, START, random, epoch=0)
    return breaker


def probe(breaker: Breaker, fault: Deferred = RELAY_DOWN, *, random: float = 0.5) -> float:
    """Let the next probe fail as soon as it may be made; return for how long nothing is tried after it."""
    now = breaker.retry_at
    assert breaker.begin_probe(now)
    breaker.fail_probe(fault, now, random)
    return breaker.retry_at - now


def test_a_relay_that_works_is_not_probed() -> None:
    """While it is closed mails themselves tell how the relay is."""
    breaker = Breaker()
    assert breaker.fault is None
    assert not breaker.begin_probe(START)


def test_nothing_is_tried_during_the_pause() -> None:
    """After a fault the relay is left alone until the pause is over."""
    breaker = tripped()
    assert breaker.fault is RELAY_DOWN
    assert not breaker.begin_probe(breaker.retry_at - 0.001)
    assert breaker.begin_probe(breaker.retry_at)


def test_one_probe_at_a_time() -> None:
    """While the probe is out nobody else tries."""
    breaker = tripped()
    assert breaker.begin_probe(START + 3600)
    assert breaker.probing
    assert not breaker.begin_probe(START + 3600)


def test_a_probe_that_came_to_nothing_makes_room_for_another() -> None:
    """A probe that never reached the relay does not close it for ever, and is no failure."""
    breaker = tripped()
    breaker.begin_probe(breaker.retry_at)
    breaker.give_up_probe()
    assert not breaker.probing
    assert breaker.begin_probe(breaker.retry_at)
    assert (breaker.fault, breaker.failures) == (RELAY_DOWN, 1)


def test_a_late_failure_is_not_taken_for_the_probes() -> None:
    """An attempt from before the fault that fails while the probe is out says nothing new, nor makes room."""
    breaker = tripped()
    breaker.begin_probe(START + 5)
    assert not breaker.trip(WRONG_PASSWORD, START + 5, 0.5, epoch=0)
    assert breaker.probing
    assert (breaker.fault, breaker.failures) == (RELAY_DOWN, 1)


def test_a_failure_from_before_the_recovery_does_not_open_it_again() -> None:
    """A connection of the old days that dies at last says nothing about a relay that is back."""
    breaker = tripped()
    breaker.begin_probe(START + 5)
    breaker.close()
    assert not breaker.trip(RELAY_DOWN, START + 6, 0.5, epoch=0)
    assert breaker.fault is None
    assert breaker.trip(RELAY_DOWN, START + 7, 0.5, epoch=breaker.epoch)


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
    breaker = Breaker()
    assert [breaker.trip(RELAY_DOWN, START + n, 0.5, epoch=0) for n in range(4)] == [True, False, False, False]
    assert breaker.failures == 1
    assert breaker.retry_at == START + 0.5


def test_a_probe_that_opens_a_session_closes_it() -> None:
    """Mails go again, and nothing is probed."""
    breaker = tripped()
    breaker.begin_probe(START + 5)
    breaker.close()
    assert (breaker.fault, breaker.probing) == (None, False)
    assert not breaker.begin_probe(START + 3600)


def test_failures_count_on_until_a_mail_was_answered() -> None:
    """A relay that greets and then fails at each mail is left alone for longer and longer."""
    breaker = tripped()
    for pause in (1, 2.5, 7.5):
        breaker.begin_probe(breaker.retry_at)
        breaker.close()
        assert breaker.trip(RELAY_DOWN, START, 0.5, epoch=breaker.epoch)
        assert breaker.retry_at == START + pause


def test_a_mail_that_was_answered_makes_the_next_pause_short() -> None:
    """What was wrong before it is over and done with."""
    breaker = tripped()
    probe(breaker)
    breaker.close()
    breaker.forget_failures()
    breaker.trip(RELAY_DOWN, START, 0.5, epoch=breaker.epoch)
    assert (breaker.failures, breaker.retry_at) == (1, START + 0.5)


def test_the_probe_can_be_made_earlier() -> None:
    """A drain does not wait for the end of the pause, and an end that is past stays so."""
    breaker = tripped()
    breaker.probe_now(START)
    breaker.probe_now(START + 50)
    assert breaker.retry_at == START
    assert breaker.begin_probe(START)
