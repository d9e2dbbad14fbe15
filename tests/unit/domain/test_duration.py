"""Durations as people read them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.duration import span_text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0s"),
        (0, "0s"),
        (0.44, "0.4s"),
        (9.96, "10s"),
        (59.6, "1m"),
        (90, "1m 30s"),
        (600, "10m"),
        (3601, "1h"),
        (5400, "1h 30m"),
        (90_061, "1d 1h"),
        (40 * 86_400, "40d"),
    ],
)
def test_a_span_has_the_two_units_that_matter(seconds: float, words: str) -> None:
    """Rounded to seconds, and to a tenth where that is much."""
    assert span_text(timedelta(seconds=seconds)) == words


@given(st.timedeltas())
def test_every_span_has_words(time: timedelta) -> None:
    """Two units at most, and never none."""
    assert 1 <= len(span_text(time).split()) <= 2
