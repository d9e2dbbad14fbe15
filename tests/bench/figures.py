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
    values = sorted(measure() for _ in range(ROUNDS))
    return median(values), f"{values[0]:,.0f} to {values[-1]:,.0f}"
