"""The clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from app.clock import CLOCK_JUMP, JumpWatch, SteadyClock, SystemClock
from app.domain.ids import IdSource, time_of
from tests.support.clock import NOW, FakeClock

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_the_time_of_day_is_aware_and_utc() -> None:
    """No time in the system is without its zone."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_monotonic_time_never_steps_back() -> None:
    """Durations are never negative."""
    clock = SystemClock()
    looks = [clock.monotonic() for _ in range(100)]
    assert looks == sorted(looks)


def test_a_steady_clock_follows_the_wall() -> None:
    """As long as nobody sets it back, it shows the wall time."""
    wall = FakeClock()
    steady = SteadyClock(wall, not_before=NOW - HOUR)
    wall.pass_time(HOUR)
    assert steady.now() == NOW + HOUR
    wall.wall += DAY
    assert steady.now() == NOW + HOUR + DAY


def test_a_steady_clock_goes_on_when_the_wall_is_set_back() -> None:
    """At the pace of monotonic time: no retry waits longer than it was meant to, and none comes at once."""
    wall = FakeClock()
    steady = SteadyClock(wall, not_before=NOW)
    wall.wall -= DAY
    assert steady.now() == NOW
    wall.pass_time(HOUR)
    assert steady.now() == NOW + HOUR


def test_a_steady_clock_begins_at_what_the_journal_knows() -> None:
    """Mail that was accepted while the clock was a day ahead is due after it was set right and a restart."""
    wall = FakeClock()
    last = IdSource().next_id(int((NOW + DAY).timestamp() * 1000))
    steady = SteadyClock(wall, not_before=time_of(last))
    wall.pass_time(HOUR)
    assert steady.now() == NOW + DAY + HOUR


def test_a_steady_clock_survives_a_year_forward_and_back() -> None:
    """Fault 19: delays that were given while the wall was a year ahead are kept after it was set right."""
    wall = FakeClock()
    steady = SteadyClock(wall, not_before=NOW)
    wall.wall += 365 * DAY
    due_at = steady.now() + HOUR
    wall.wall -= 365 * DAY
    wall.pass_time(HOUR)
    assert steady.now() == due_at


@pytest.mark.parametrize("jump", [365 * DAY, -DAY, CLOCK_JUMP + timedelta(seconds=1)], ids=["year", "back", "least"])
def test_a_jump_is_seen_once(jump: timedelta) -> None:
    """In both directions, by its size; afterwards the new time counts."""
    wall = FakeClock()
    jumps = JumpWatch(wall, known_at=None)
    wall.pass_time(HOUR)
    assert jumps.look() is None
    wall.wall += jump
    assert jumps.look() == jump
    wall.pass_time(HOUR)
    assert jumps.look() is None


def test_a_small_step_is_no_jump() -> None:
    """Setting a clock right by minutes is everyday."""
    wall = FakeClock()
    jumps = JumpWatch(wall, known_at=None)
    wall.wall += CLOCK_JUMP
    assert jumps.look() is None


@pytest.mark.parametrize(
    ("known_at", "jump"), [(NOW + DAY, -DAY), (NOW - DAY, None)], ids=["the clock was set back", "the daemon was off"]
)
def test_a_start_before_the_last_known_time_is_a_jump_back(known_at: datetime, jump: timedelta | None) -> None:
    """A start after it is not: nobody can tell that from time in which the daemon did not run."""
    assert JumpWatch(FakeClock(), known_at=known_at).look() == jump
