"""What a benchmark reports: medians of several rounds, since machines are noisy."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    what: str
    measured: str
    aim: str = ""


def rounds(measure: Callable[[], float]) -> tuple[float, str]:
    """Return the median of several rounds, and the range as text."""
    return _summary([measure() for _ in range(ROUNDS)])


def rounds_in_turn(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, str, float, str]:
    """Return the same for two that are measured in turn, so that whatever else the machine does meets both."""
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    return (*_summary([pair[0] for pair in pairs]), *_summary([pair[1] for pair in pairs]))


def _summary(values: list[float]) -> tuple[float, str]:
    return median(values), f"{min(values):,.0f} to {max(values):,.0f}"
