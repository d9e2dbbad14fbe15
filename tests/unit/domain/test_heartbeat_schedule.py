"""When a ping is due: by a period, or by cron with the rules of a time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.heartbeat_schedule import Cron, Every


def utc(text: str) -> datetime:
    """Return the time in UTC that the text tells."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_period_counts_from_the_last_ping() -> None:
    """Whenever it came."""
    assert Every(timedelta(hours=6)).next_after(utc("2026-03-04T05:06:07")) == utc("2026-03-04T11:06:07")


BERLIN = "Europe/Berlin"
TIMES = {
    "later today": ("0 3 * * *", "UTC", "2026-03-04T02:00", "2026-03-04T03:00"),
    "tomorrow": ("0 3 * * *", "UTC", "2026-03-04T03:00", "2026-03-05T03:00"),
    "in winter": ("0 3 * * *", BERLIN, "2026-01-10T12:00", "2026-01-11T02:00"),
    "in summer": ("0 3 * * *", BERLIN, "2026-07-10T12:00", "2026-07-11T01:00"),
    "in the hour that is left out": ("30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-29T01:00"),
    "before the hour that comes twice": ("30 2 * * *", BERLIN, "2026-10-24T12:00", "2026-10-25T00:30"),
    "after the first of the hour that comes twice": ("30 2 * * *", BERLIN, "2026-10-25T00:30", "2026-10-26T01:30"),
    "in the second of the hour that comes twice": ("30 2 * * *", BERLIN, "2026-10-25T01:10", "2026-10-26T01:30"),
    "every minute, in the second of it": ("* * * * *", BERLIN, "2026-10-25T01:10", "2026-10-25T01:11"),
    "by names": ("0 3 * JAN mon", "UTC", "2026-01-01T00:00", "2026-01-05T03:00"),
    "on a leap day": ("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
}


@pytest.mark.parametrize(("expression", "zone", "after", "due"), TIMES.values(), ids=TIMES.keys())
def test_cron_knows_its_zone(expression: str, zone: str, after: str, due: str) -> None:
    """A job of the hour that is left out runs right after it; one of the hour that comes twice runs once."""
    assert Cron(expression, zone).next_after(utc(after)) == utc(due)


REFUSED = {
    "four fields": ("0 3 * *", "UTC", "five fields"),
    "six fields": ("0 0 3 * * *", "UTC", "five fields"),
    "no fields": ("", "UTC", "five fields"),
    "a nickname": ("@daily", "UTC", "five fields"),
    "an hour too much": ("0 24 * * *", "UTC", "Bad hour"),
    "February 30": ("0 0 30 2 *", "UTC", "Bad day-of-month"),
    "a day that never comes": ("* * */20 * 1L", "UTC", "never comes"),
    "too long": (",".join(["0"] * 200) + " * * * *", "UTC", "five fields"),
    "a control character": ("0 3 * *\n*", "UTC", "five fields"),
    "no such zone": ("0 3 * * *", "Europe/Atlantis", "time zone"),
    "a folder of zones": ("0 3 * * *", "Europe", "time zone"),
    "a path": ("0 3 * * *", "../../etc/passwd", "time zone"),
    "no zone": ("0 3 * * *", "", "time zone"),
}


@pytest.mark.parametrize(("expression", "zone", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_cron_is_refused(expression: str, zone: str, reason: str) -> None:
    """At once, with the remedy, and not when a ping is missed."""
    with pytest.raises(ValueError, match=reason):
        Cron(expression, zone)


@given(st.text(st.sampled_from("0123456789*,/-#LWMONJAN ")) | st.text(), st.text())
def test_nothing_else_is_raised(expression: str, zone: str) -> None:
    """Whatever a URL holds, it is a schedule or a ValueError."""
    for given_zone in ("UTC", zone):
        try:
            schedule = Cron(expression, given_zone)
        except ValueError:
            continue
        assert schedule.next_after(utc("2026-03-04T05:06:07")) > utc("2026-03-04T05:06:07")


@given(
    st.sampled_from(["30 2 * * *", "*/7 1-3 * * *", "0-59 2 * * *", "* * * * *", "15 */2 * * *"]),
    st.sampled_from(["UTC", BERLIN, "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]),
    st.integers(0, 30 * 366 * 86_400),
)
def test_the_next_ping_is_due_later(expression: str, zone: str, seconds: int) -> None:
    """Never at or before the last one, at no change of any clock; and these come within three days."""
    moment = utc("2010-01-01T00:00") + timedelta(seconds=seconds)
    due = Cron(expression, zone).next_after(moment)
    assert moment < due < moment + timedelta(days=3)
