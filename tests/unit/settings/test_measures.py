"""How durations, sizes and rates are read, and written where a complaint names a bound."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rate import Rate
from app.settings.measures import (
    UNITS,
    byte_count_text,
    duration_text,
    parse_byte_count,
    parse_duration,
    parse_rate,
)


@given(st.integers(0, 99_999), st.sampled_from(sorted(UNITS)))
def test_a_duration_is_a_number_and_a_unit(number: int, unit: str) -> None:
    """Every number with every unit reads as that time."""
    assert parse_duration(f"{number}{unit}") == timedelta(**{UNITS[unit]: number})


@pytest.mark.parametrize("text", ["30", "", "s", "-1s", "1.5h", "1w", "1h30m", 30, True, None, "9999999999s"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """A bare number is refused too: nobody can know its unit."""
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"), [(1024, 1024), ("1024", 1024), ("512KiB", 524_288), ("1MiB", 1_048_576), ("2 MiB", 2 << 20)]
)
def test_a_size_is_bytes_or_has_a_unit(text: object, expected: int) -> None:
    """Bytes may be written plainly, or in KiB and MiB."""
    assert parse_byte_count(text) == expected


@pytest.mark.parametrize("text", ["1MB", "1GB", "-1", "", "big", 1.5, True])
def test_what_is_no_size_is_refused(text: object) -> None:
    """Units that mean two things (MB) are refused as well."""
    with pytest.raises(ValueError, match="is no size"):
        parse_byte_count(text)


@given(st.integers(1, 99_999), st.sampled_from(sorted(UNITS)))
def test_a_rate_is_a_number_of_mails_in_a_unit_of_time(number: int, unit: str) -> None:
    """Every number but none, with every unit, reads as that rate."""
    assert parse_rate(f"{number}/{unit}") == Rate(number, timedelta(**{UNITS[unit]: 1}))


@pytest.mark.parametrize("text", ["100", "0/m", "-1/s", "1.5/s", "10/min", "10/", "/m", "10 per m", 10, None])
def test_what_is_no_rate_is_refused(text: object) -> None:
    """A rate of nothing is refused too: it would hold up all mail for ever."""
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(text)


@given(st.integers(0, 999_999_999))
def test_what_is_written_reads_back(number: int) -> None:
    """A bound in a complaint can be set as it stands there."""
    assert parse_duration(duration_text(timedelta(seconds=number))) == timedelta(seconds=number)
    assert parse_byte_count(byte_count_text(number)) == number


@pytest.mark.parametrize(
    ("time", "text"), [({"days": 7}, "7d"), ({"hours": 36}, "36h"), ({"seconds": 60}, "1m"), ({"seconds": 90}, "90s")]
)
def test_a_duration_is_written_in_its_largest_unit(time: dict[str, int], text: str) -> None:
    """One number and one unit, as it is read."""
    assert duration_text(timedelta(**time)) == text


@pytest.mark.parametrize(("count", "text"), [(25 << 20, "25MiB"), (1 << 10, "1KiB"), (1000, "1000"), (0, "0")])
def test_a_size_is_written_in_its_largest_unit(count: int, text: str) -> None:
    """Bytes have none."""
    assert byte_count_text(count) == text
