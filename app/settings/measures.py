"""Durations, sizes and rates as people write them, and their bounds."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from app.domain.duration import UNITS, duration_text, parse_duration
from app.domain.rate import Rate

SIZES = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_SIZE = re.compile(r"(\d{1,12})\s*(KiB|MiB|)")
_RATE = re.compile(r"(\d{1,9})\s*/\s*([smhd])")
_Measure = TypeVar("_Measure", int, timedelta)


def parse_byte_count(value: object) -> int:
    """Return the bytes that 1048576, "512KiB" or "1MiB" says."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no size; write bytes, such as 1048576, or "512KiB" or "1MiB"')
    return int(match[1]) * SIZES[match[2]]


def byte_count_text(count: int) -> str:
    """Return `count` bytes as `parse_byte_count` takes them, in the largest unit that divides them: "25MiB"."""
    unit = next(unit for unit in reversed(SIZES) if not count % SIZES[unit])
    return f"{count // SIZES[unit]}{unit}" if count else "0"


def parse_rate(value: object) -> Rate:
    """Return the rate that "10/s", "100/m", "500/h" or "2000/d" says."""
    if isinstance(value, Rate):
        return value
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError('is no rate; write a number per time, such as "10/s", "100/m" or "500/h"')
    return Rate(count=int(match[1]), per=timedelta(**{UNITS[match[2]]: 1}))


def time_within(least: timedelta = timedelta(0), most: timedelta = timedelta.max) -> AfterValidator:
    """Return the check of a duration against its bounds, which the complaint names as one would write them."""
    return AfterValidator(_within(least, most, duration_text))


def size_within(least: int, most: int) -> AfterValidator:
    """Return the check of a byte count against its bounds, as for a duration."""
    return AfterValidator(_within(least, most, byte_count_text))


def _within(least: _Measure, most: _Measure, text: Callable[[_Measure], str]) -> Callable[[_Measure], _Measure]:
    # Not pydantic's own ge and le: of these it tells "datetime.timedelta(days=7)" and "26214400".
    def check(value: _Measure) -> _Measure:
        if value < least:
            raise ValueError(f"is too small: at least {text(least)}")
        if value > most:
            raise ValueError(f"is too large: at most {text(most)}")
        return value

    return check


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
ByteCount = Annotated[int, BeforeValidator(parse_byte_count)]
RelayRate = Annotated[Rate, PlainValidator(parse_rate)]
