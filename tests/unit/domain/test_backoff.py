"""Waits grow as the design says, and spread as chance says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.backoff import configuration_pause, relay_pause, retry_delay


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 60), (3, 120), (4, 300), (5, 600), (6, 1200), (7, 1800), (8, 3600), (9, 3600), (500, 3600)],
)
def test_retry_delay(attempts: int, seconds: int) -> None:
    """A mail waits 30 s, 1, 2, 5, 10, 20, 30 min, then an hour each time."""
    assert retry_delay(attempts, 0.5) == timedelta(seconds=seconds)


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_retry_delay_spreads_by_a_fifth(attempts: int, random: float) -> None:
    """The wait is within 20 % of its step."""
    step = retry_delay(attempts, 0.5)
    assert 0.8 * step <= retry_delay(attempts, random) <= 1.2 * step


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 30), (6, 60), (50, 60)])
def test_relay_pause(failures: int, seconds: int) -> None:
    """A relay's pause is anything from nothing to 1, 2, 5, 15, 30, 60 s."""
    assert relay_pause(failures, 0) == timedelta()
    assert relay_pause(failures, 0.5) == timedelta(seconds=seconds / 2)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (5, 15), (50, 15)])
def test_configuration_pause(failures: int, minutes: int) -> None:
    """A configuration fault waits from 1 up to 15 min."""
    assert configuration_pause(failures) == timedelta(minutes=minutes)
