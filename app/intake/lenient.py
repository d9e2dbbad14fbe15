"""Values out of documents that anybody may have written: what fits is taken, what does not is empty, nothing raises."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR = 1971  # earlier times stand for "never": 0001-01-01 in Go, 0 in Unix
MILLISECONDS_FROM = 100_000_000_000  # a number above counts milliseconds: as seconds it lies in the year 5138
MAX_TIME_TEXT = 64  # characters


def text_of(value: object) -> str:
    """Return a string, number or truth value as text; "" for anything else."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return ""


def texts_of(value: object) -> list[str]:
    """Return the texts of a list that are not empty, or of a single value."""
    values = value if isinstance(value, list) else [value]
    return [text for text in map(text_of, values) if text.strip()]


def first_text(document: Mapping[str, Any], *names: str) -> str:
    """Return the first of the named fields that holds text, "" if none does."""
    for name in names:
        value = document.get(name)
        # Most values are text or missing, and every format asks dozens of times.
        text = value if isinstance(value, str) else "" if value is None else text_of(value)
        if text.strip():
            return text
    return ""


def object_of(value: object) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in a list, none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number_of(value: object) -> float | None:
    """Return a number, also one that is written as text; None for anything else, and for NaN and infinities."""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < float("inf") else None


def moment_of(value: object) -> datetime | None:
    """Return the time that RFC 3339 or Unix seconds or milliseconds tell, in UTC; None for anything else.

    A time without an offset is UTC. One before 1971 stands for none.
    """
    try:
        moment = _moment(value)
        return moment.astimezone(UTC) if moment is not None and moment.year >= FIRST_YEAR else None
    except (ValueError, OverflowError):
        return None


def _moment(value: object) -> datetime | None:
    number = number_of(value)
    if number is not None:
        return _EPOCH + timedelta(seconds=number / 1000 if abs(number) >= MILLISECONDS_FROM else number)
    if not isinstance(value, str) or len(value) > MAX_TIME_TEXT:
        return None
    moment = datetime.fromisoformat(value.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
