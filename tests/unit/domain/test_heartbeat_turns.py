"""What pings and time make of a heartbeat."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.heartbeat import DOWN, Pulse, PulseState, due_at, expected_at, overdue_at
from app.domain.heartbeat_turns import CLOCK_TOLERANCE, Absence, Step, Turn, after_absence, on_look, on_ping
from app.domain.ping import Ping, PingKind
from tests.support.clock import NOW
from tests.support.heartbeat_bench import BACKUP, DAY, HOUR, MINUTE

SECOND = timedelta(seconds=1)
START, OK, FAIL = Ping(PingKind.START), Ping(), Ping(PingKind.FAILURE, 3)
NEW = Pulse(since=NOW)
UP = Pulse(since=NOW, state=PulseState.UP, last_ping_at=NOW)
STARTED = replace(UP, started_at=NOW + HOUR)
OVERDUE = replace(UP, state=PulseState.OVERDUE, down_since=NOW + DAY + HOUR)
FAILED = replace(UP, state=PulseState.FAILED, down_since=NOW, failures=1, exit_code=3)

PINGS = {
    "the first one": (NEW, OK, PulseState.UP, None),
    "one more": (UP, OK, PulseState.UP, None),
    "back after silence": (OVERDUE, OK, PulseState.UP, Turn.RECOVERED),
    "back after a failure": (FAILED, OK, PulseState.UP, Turn.RECOVERED),
    "the first one fails": (NEW, FAIL, PulseState.FAILED, Turn.FAILED),
    "a run fails": (STARTED, FAIL, PulseState.FAILED, Turn.FAILED),
    "silence ends with a failure": (OVERDUE, FAIL, PulseState.FAILED, Turn.FAILED),
    "it fails again": (FAILED, FAIL, PulseState.FAILED, None),
    "a start is no sign of health": (FAILED, START, PulseState.FAILED, None),
    "a start after silence": (OVERDUE, START, PulseState.OVERDUE, None),
    "a start before any ping": (NEW, START, PulseState.NEW, None),
}


@pytest.mark.parametrize(("pulse", "ping", "state", "turn"), PINGS.values(), ids=PINGS.keys())
def test_pings_turn_it(pulse: Pulse, ping: Ping, state: PulseState, turn: Turn | None) -> None:
    """Only what changes is told: a failure once, a success after trouble."""
    step = on_ping(pulse, ping, NOW + 2 * DAY)
    assert (step.pulse.state, step.turn) == (state, turn)


def test_a_run_is_timed() -> None:
    """From its start to its end, whatever the end is."""
    running = on_ping(UP, START, NOW + HOUR).pulse
    ended = on_ping(running, FAIL, NOW + HOUR + 5 * MINUTE).pulse
    assert (running.started_at, ended.started_at) == (NOW + HOUR, None)
    assert (ended.ran_for, ended.exit_code, ended.last_ping_at) == (5 * MINUTE, 3, NOW + HOUR + 5 * MINUTE)


def test_failures_are_counted_until_a_success() -> None:
    """What was told once can still be told in full."""
    again = on_ping(FAILED, FAIL, NOW + DAY).pulse
    assert (again.failures, again.down_since) == (2, FAILED.down_since)
    assert (on_ping(again, OK, NOW + DAY).pulse.failures, on_ping(again, OK, NOW + DAY).pulse.down_since) == (0, None)


LOOKS: dict[str, tuple[Pulse, timedelta, bool]] = {
    "never pinged, in time": (NEW, DAY + HOUR - SECOND, False),
    "never pinged, too late": (NEW, DAY + HOUR, True),
    "due, within the grace": (UP, DAY + HOUR - SECOND, False),
    "the grace is over": (UP, DAY + HOUR, True),
    "a run takes its time": (STARTED, 2 * HOUR - SECOND, False),
    "a run takes too long": (STARTED, 2 * HOUR, True),
    "known already": (OVERDUE, 9 * DAY, False),
    "failed, and silent since": (FAILED, 9 * DAY, False),
}


@pytest.mark.parametrize(("pulse", "passed", "is_told"), LOOKS.values(), ids=LOOKS.keys())
def test_time_makes_it_overdue(pulse: Pulse, passed: timedelta, is_told: bool) -> None:
    """When the grace after the due time, or after a start, is over; and only once."""
    step = on_look(BACKUP, pulse, NOW + passed)
    assert (step.turn is Turn.OVERDUE) is is_told
    assert (step.pulse.state is PulseState.OVERDUE) is (is_told or pulse is OVERDUE)


ABSENCES: dict[str, tuple[timedelta, timedelta, timedelta]] = {
    "before it was due": (HOUR, 2 * HOUR, DAY + HOUR),
    "when it became due": (DAY - HOUR, DAY + 5 * HOUR, DAY + 6 * HOUR),
    "within the grace": (DAY + 20 * MINUTE, DAY + 30 * MINUTE, DAY + HOUR + 10 * MINUTE),
    "from the grace to long after": (DAY + 20 * MINUTE, 3 * DAY, 3 * DAY + 40 * MINUTE),
    "when it was too late already": (DAY + 2 * HOUR, 3 * DAY, DAY + HOUR),
}


@pytest.mark.parametrize(("left", "returned", "deadline"), ABSENCES.values(), ids=ABSENCES.keys())
def test_the_grace_counts_only_while_pings_can_be_heard(
    left: timedelta, returned: timedelta, deadline: timedelta
) -> None:
    """What becomes due while the daemon is away has its whole grace from the return."""
    pulse = after_absence(BACKUP, UP, Absence(NOW + left, NOW + returned))
    assert overdue_at(BACKUP, pulse) == NOW + deadline


def test_a_ping_ends_the_account_of_an_absence() -> None:
    """It counts for the ping that was missed, and for no other."""
    missed = after_absence(BACKUP, UP, Absence(NOW + DAY, NOW + 2 * DAY))
    assert missed.deaf_for == DAY
    assert on_ping(missed, OK, NOW + 2 * DAY).pulse.deaf_for == timedelta()


def test_restarts_without_end_do_not_put_it_off_for_ever() -> None:
    """Of a daemon that restarts every ten minutes the time in which it ran counts."""
    pulse, now = UP, NOW + DAY
    for _ in range(7):
        pulse = after_absence(BACKUP, pulse, Absence(now, now + MINUTE))
        now += 10 * MINUTE
    assert on_look(BACKUP, pulse, now).turn is Turn.OVERDUE


def test_a_clock_that_was_ahead_silences_nothing() -> None:
    """Times that were noted by a clock a year ahead become the present one once it is set right."""
    ahead = replace(UP, last_ping_at=NOW + 365 * DAY, started_at=NOW + 366 * DAY)
    pulse = on_look(BACKUP, ahead, NOW).pulse
    assert (pulse.last_ping_at, pulse.started_at) == (NOW, NOW)


def test_a_clock_that_is_corrected_a_little_changes_nothing() -> None:
    """NTP steps by seconds."""
    slightly = replace(UP, last_ping_at=NOW + MINUTE)
    assert on_look(BACKUP, slightly, NOW) == Step(slightly)


JUMPS = {
    "right after the ping": (SECOND, 2 * SECOND, timedelta()),
    "when it was due": (DAY + MINUTE, DAY + 2 * MINUTE, 2 * MINUTE),
}


@pytest.mark.parametrize(("left", "back", "deaf_for"), JUMPS.values(), ids=JUMPS.keys())
def test_a_jump_of_the_clock_puts_it_off_no_longer_than_it_lasted(
    left: timedelta, back: timedelta, deaf_for: timedelta
) -> None:
    """A year ahead, and back a moment later: the alert comes no more than that moment late."""
    ahead = after_absence(BACKUP, UP, Absence(NOW + left, NOW + 365 * DAY))
    pulse = on_look(BACKUP, on_look(BACKUP, ahead, NOW + 365 * DAY).pulse, NOW + back).pulse
    assert pulse.deaf_for == deaf_for
    assert overdue_at(BACKUP, pulse) == NOW + DAY + HOUR + deaf_for


@given(st.lists(st.tuples(st.sampled_from([START, OK, None, "away"]), st.integers(-400, 400)), max_size=20))
def test_whatever_the_clock_did_the_grace_is_the_longest_wait(sequence: list[tuple[Any, int]]) -> None:
    """Once a ping is expected, after every look; the tolerance is for small corrections of the clock."""
    pulse, now = UP, NOW
    for event, hours in sequence:
        left, now = now, now + timedelta(hours=hours)
        if event == "away" and now > left:
            pulse = after_absence(BACKUP, pulse, Absence(left, now))
        elif isinstance(event, Ping):
            pulse = on_ping(pulse, event, now).pulse
        pulse = on_look(BACKUP, pulse, now).pulse
        deadline = overdue_at(BACKUP, pulse)
        assert deadline is None or deadline <= max(now, expected_at(BACKUP, pulse)) + HOUR
        assert deadline is None or expected_at(BACKUP, pulse) <= now + DAY + CLOCK_TOLERANCE


SENSELESS = {(turn, turn) for turn in Turn} | {(Turn.FAILED, Turn.OVERDUE)}
events = st.tuples(st.sampled_from([START, OK, FAIL, None, "away"]), st.integers(0, 3 * 86_400))


@given(st.lists(events, max_size=30))
def test_it_is_never_up_and_overdue(sequence: list[tuple[Any, int]]) -> None:
    """After every look: down, with a time since when, or with time left. People hear of each change exactly once."""
    pulse, now, told = NEW, NOW, []
    for event, seconds in sequence:
        left, now = now, now + timedelta(seconds=seconds)
        if event == "away":
            pulse = after_absence(BACKUP, pulse, Absence(left, now))
        elif event is not None:
            step = on_ping(pulse, event, now)
            pulse, told = step.pulse, [*told, step.turn]
        step = on_look(BACKUP, pulse, now)
        pulse, told = step.pulse, [*told, step.turn]
        deadline = overdue_at(BACKUP, pulse)
        assert (deadline is None) == (pulse.state in DOWN) == (pulse.down_since is not None)
        assert deadline is None or now < deadline
        assert due_at(BACKUP, pulse) > (pulse.last_ping_at or pulse.since)
    turns = [turn for turn in told if turn is not None]
    firing = [turn is not Turn.RECOVERED for turn in turns]
    assert pulse.is_down == (bool(firing) and firing[-1])
    assert not {(before, after) for before, after in pairwise(turns)} & SENSELESS
