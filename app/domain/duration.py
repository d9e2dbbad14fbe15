"""Durations as people write them, a number and a unit, and as they read them."""

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])")


def parse_duration(value: object) -> timedelta:
    """Return the time that "30s", "10m", "24h" or "30d" says. A bare number is refused: what unit?"""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is no duration; write a number and a unit, such as "30s", "10m", "24h" or "30d"')
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def duration_text(time: timedelta) -> str:
    """Return whole seconds as `parse_duration` takes them, in the largest unit that divides them: "7d"."""
    lengths = {unit: timedelta(**{name: 1}) for unit, name in UNITS.items()}
    unit = next(unit for unit in reversed(lengths) if not time % lengths[unit])
    return f"{time // lengths[unit]}{unit}"


def span_text(time: timedelta) -> str:
    """Return how long something took, in the two largest units: "0.4s", "12s", "10m", "1h 5m", "3d 2h"."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    left, parts = timedelta(seconds=round(seconds)), list[str]()
    for unit, name in reversed(UNITS.items()):
        count, left = divmod(left, timedelta(**{name: 1}))
        parts += [f"{count}{unit}"] if count else [""] if parts else []
    return " ".join(filter(None, parts[:2]))
