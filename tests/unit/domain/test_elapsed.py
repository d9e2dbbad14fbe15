"""The stopwatch: time that stands still while something is not so, whatever the wall clock does."""

from datetime import timedelta

from app.domain.elapsed import Stopwatch
from tests.support.clock import FakeClock

MINUTE = timedelta(minutes=1)


def test_it_goes_on_from_earlier_runs() -> None:
    """It runs from the start, behind what the journal has kept."""
    clock = FakeClock()
    stopwatch = Stopwatch(clock, seconds_before=100)
    clock.pass_time(MINUTE)
    assert stopwatch.seconds() == 160


def test_it_stands_still_while_it_does_not_run() -> None:
    """Only the minute before and the two after count, however often it is told the same."""
    clock = FakeClock()
    stopwatch = Stopwatch(clock, seconds_before=0)
    for running in (False, False, True, True):
        clock.pass_time(MINUTE)
        stopwatch.run(running=running)
    clock.pass_time(MINUTE)
    assert stopwatch.seconds() == 3 * 60


def test_parts_of_a_second_add_up() -> None:
    """A relay that is usable for half a second at a time ages its mails."""
    clock = FakeClock()
    stopwatch = Stopwatch(clock, seconds_before=0)
    for _ in range(10):
        clock.pass_time(timedelta(milliseconds=500))
        stopwatch.run(running=False)
        stopwatch.run(running=True)
    assert stopwatch.seconds() == 5


def test_the_wall_clock_does_not_matter() -> None:
    """A year forward or a day back expires nothing."""
    clock = FakeClock()
    stopwatch = Stopwatch(clock, seconds_before=7)
    clock.wall += timedelta(days=365)
    assert stopwatch.seconds() == 7
    clock.wall -= timedelta(days=400)
    assert stopwatch.seconds() == 7
