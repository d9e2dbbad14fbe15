"""Identifiers that sort by time: 63-bit integers inside, 13 characters of Crockford's base 32 outside."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
EPOCH_MS = int(EPOCH.timestamp() * 1000)
SEQUENCE_BITS = 22  # 41 bits of milliseconds last for 69 years and leave 4 million ids in each millisecond
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U, which people misread
LENGTH = 13  # 13 × 5 bits hold 63
MAX_ID = (1 << 63) - 1  # what an SQLite INTEGER PRIMARY KEY and a PostgreSQL bigint hold

# Two characters at a time: this runs once for every alert that is accepted.
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_VALUES = {char: value for value, char in enumerate(ALPHABET)} | {"I": 1, "L": 1, "O": 0}


class IdSource:
    """Hands out ids that only grow, also when the clock steps back."""

    def __init__(self, *, last: int = 0) -> None:
        self._last = last

    def next_id(self, now_ms: int) -> int:
        """Return an id for the Unix time `now_ms`, in milliseconds; greater than every earlier one."""
        following = self._last + 1
        first = (now_ms - EPOCH_MS) << SEQUENCE_BITS
        self._last = max(following, first)
        return self._last


def first_id_at(unix_ms: int) -> int:
    """Return the smallest id that a source could give at `unix_ms`: a lower bound for range queries."""
    return max(0, (unix_ms - EPOCH_MS) << SEQUENCE_BITS)


def time_of(value: int) -> datetime:
    """Return when the id was given, to the millisecond; a little later after very many in one."""
    return EPOCH + timedelta(milliseconds=value >> SEQUENCE_BITS)


def format_id(value: int) -> str:
    """Return the public form; its lexical order is the numeric one."""
    pairs = _PAIRS
    return (
        ALPHABET[value >> 60]
        + pairs[value >> 50 & 1023]
        + pairs[value >> 40 & 1023]
        + pairs[value >> 30 & 1023]
        + pairs[value >> 20 & 1023]
        + pairs[value >> 10 & 1023]
        + pairs[value & 1023]
    )


def parse_id(text: str) -> int | None:
    """Return the id written as `text` (either case, misread letters forgiven), or None if it is none."""
    if len(text) != LENGTH or not text.isascii():  # upper() makes two letters of some others, as of ß
        return None
    value = 0
    for char in text.upper():
        digit = _VALUES.get(char)
        if digit is None:
            return None
        value = value << 5 | digit
    return value if value <= MAX_ID else None
