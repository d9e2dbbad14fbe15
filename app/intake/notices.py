"""What the sender is told of changes on the way in. Names of fields appear, never their values."""

from collections.abc import Collection
from itertools import islice

from app.domain.text import shorten

MAX_NAMES = 20  # more unknown fields than this are counted, not named
MAX_NAME = 80  # characters of a name that a warning repeats


def was_repaired(before: str, after: str) -> bool:
    """Return whether cleaning changed more than white space and line ends."""
    return before != after and before.split() != after.split()


def repaired_field(name: str) -> str:
    """Return the warning for a field that held what no mail can show."""
    return f"{name}: control characters or lone surrogates were replaced"


def unknown_fields(names: Collection[str]) -> str:
    """Return the warning that names the fields which no alert has."""
    named = ", ".join(shorten(name, MAX_NAME) for name in islice(names, MAX_NAMES))
    rest = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"unknown fields, kept and shown below the text: {named}{rest}"
