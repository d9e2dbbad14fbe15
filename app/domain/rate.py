"""How many mails a relay may get in a time, as a token bucket."""

from dataclasses import dataclass
from datetime import timedelta

BURST_SHARE = 0.1  # of the count at once: relays that allow 100 an hour frown on 100 in a second


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any period of `per`, and a little more where it begins."""

    count: int
    per: timedelta


class TokenBucket:
    """Counts what may go now. All times are monotonic seconds."""

    def __init__(self, rate: Rate, *, now: float) -> None:
        """Start full."""
        self._per_second = rate.count / rate.per.total_seconds()
        self._capacity = max(1.0, rate.count * BURST_SHARE)
        self._tokens = self._capacity
        self._filled_at = now

    def wait(self, now: float) -> float:
        """Return the seconds until one more may go; 0 if it may go now."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._per_second)

    def take(self, now: float) -> None:
        """Count one that goes."""
        self._fill(now)
        self._tokens -= 1

    def _fill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
