"""What somebody probably meant by a wrong name."""

from collections.abc import Iterable
from difflib import get_close_matches

NEAR_ENOUGH = 0.4  # of difflib's ratio; below it a hint misleads


def nearest(wrong: str, right: Iterable[str]) -> str | None:
    """Return which of the right names the wrong one resembles most, None if it is like none of them."""
    return next(iter(get_close_matches(wrong, list(right), n=1, cutoff=NEAR_ENOUGH)), None)
