"""The clocks."""

from datetime import UTC, datetime, timedelta

from app.clock import SteadyClock, SystemClock
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
