"""One pattern for many words."""

import re
from collections.abc import Iterable


def any_of(words: Iterable[str]) -> str:
    """Return the pattern, without a group of its own; of words that begin alike the longest counts."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
