"""What every journal remembers of the alarms that were raised."""

from datetime import timedelta

import pytest

from tests.support.clock import NOW
from tests.support.desk import Desk

HOUR = timedelta(hours=1)


async def test_one_alarm_is_noted_for_each_cause(desk: Desk) -> None:
    """A relay that is down does not keep the other relay's alarm from being raised."""
    causes = ["relay:mx1", "relay:mx1", "relay:mx2"]
    assert [await desk.journal.note_alarm(cause, NOW, HOUR) for cause in causes] == [True, False, True]


@pytest.mark.parametrize(
    ("passed", "is_noted"),
    [(HOUR - timedelta(milliseconds=1), False), (HOUR, True), (3 * HOUR, True), (1000 * HOUR, True)],
    ids=["just before", "an hour", "later", "weeks later"],
)
async def test_an_alarm_is_raised_again_after_its_quiet_time(desk: Desk, passed: timedelta, is_noted: bool) -> None:
    """Once an hour people are told that the trouble lasts."""
    await desk.journal.note_alarm("relay:mx1", NOW, HOUR)
    assert await desk.journal.note_alarm("relay:mx1", NOW + passed, HOUR) is is_noted


async def test_the_quiet_time_counts_from_the_alarm_that_was_raised(desk: Desk) -> None:
    """Alarms that were swallowed do not put the next one off for ever."""
    minutes = [timedelta(minutes=n) for n in range(0, 121, 20)]
    noted = [await desk.journal.note_alarm("relay:mx1", NOW + minute, HOUR) for minute in minutes]
    assert noted == [True, False, False, True, False, False, True]


async def test_an_alarm_from_the_future_keeps_nothing_quiet(desk: Desk) -> None:
    """A clock that was ahead and was set back does not silence the system for a year."""
    await desk.journal.note_alarm("relay:mx1", NOW + 9000 * HOUR, HOUR)
    assert await desk.journal.note_alarm("relay:mx1", NOW, HOUR)
    assert not await desk.journal.note_alarm("relay:mx1", NOW, HOUR)
