"""The token bucket: no relay gets more mails in a time than it allows."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rate import BURST_SHARE, Rate, TokenBucket

START = 1000.0
HUNDRED_A_MINUTE = Rate(100, timedelta(minutes=1))


def test_a_tenth_may_go_at_once() -> None:
    """A few alerts leave without a pause; then each waits its share of the time."""
    bucket = TokenBucket(HUNDRED_A_MINUTE, now=START)
    for _ in range(10):
        assert bucket.wait(START) == 0
        bucket.take(START)
    assert bucket.wait(START) == pytest.approx(0.6)
    assert bucket.wait(START + 0.6) == pytest.approx(0)


def test_a_low_rate_lets_one_go() -> None:
    """Five an hour is one now, and the next in twelve minutes."""
    bucket = TokenBucket(Rate(5, timedelta(hours=1)), now=START)
    assert bucket.wait(START) == 0
    bucket.take(START)
    assert bucket.wait(START) == pytest.approx(720)


def test_what_went_too_much_is_waited_for() -> None:
    """Workers that took together what one was allowed are all counted."""
    bucket = TokenBucket(Rate(60, timedelta(minutes=1)), now=START)
    for _ in range(9):
        bucket.take(START)
    assert bucket.wait(START) == pytest.approx(4)


def test_a_long_silence_saves_up_no_more_than_a_burst() -> None:
    """After a quiet day the relay does not get a day's worth."""
    bucket = TokenBucket(HUNDRED_A_MINUTE, now=START)
    for _ in range(10):
        bucket.take(START + 86_400)
    assert bucket.wait(START + 86_400) == pytest.approx(0.6)


@given(st.integers(1, 100), st.lists(st.floats(0, 30), max_size=20))
def test_no_period_sees_more_than_the_count_and_a_burst(count: int, pauses: list[float]) -> None:
    """However the mails come, what leaves within one period is bounded."""
    bucket = TokenBucket(Rate(count, timedelta(minutes=1)), now=START)
    now, times = START, []
    for pause in pauses:
        now += pause
        while bucket.wait(now) == 0:
            bucket.take(now)
            times.append(now)
    most = count + max(1, count * BURST_SHARE)
    assert all(sum(since <= time < since + 60 for time in times) <= most + 1e-6 for since in times)
