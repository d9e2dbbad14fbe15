"""Durations as people write them, and what is left of the text."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.acknowledgement import LONGEST_ACK
from app.mail.sorting.spans import read_span


@pytest.mark.parametrize(
    ("text", "seconds", "rest"),
    [
        ("2h", 7200, ""),
        ("2h.", 7200, "."),
        ("1h30, on it", 5400, ", on it"),
        ("1 day 2 h thanks", 93_600, " thanks"),
        ("2 std. 5 min", 7500, ""),
        ("half an hour", 1800, ""),
        ("2小时吧", 7200, "吧"),
        ("31d", 30 * 86_400, ""),
    ],
)
def test_what_is_said_and_what_is_left(text: str, seconds: int, rest: str) -> None:
    """The caller sees whether something else was meant."""
    assert read_span(text) == (timedelta(seconds=seconds), rest)


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "0.0 d", "2 months", "two", "1234567h", "over 2h"])
def test_what_says_nothing(text: str) -> None:
    """No number without a unit, and no time at all."""
    assert read_span(text) is None


@given(st.text(st.sampled_from("0123456789.,hdmws 小时天分半 eéß٣x"), max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Nothing raises, and nothing holds for longer than the cap."""
    found = read_span(text)
    assert found is None or timedelta() < found[0] <= LONGEST_ACK
