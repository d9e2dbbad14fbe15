"""The clocks. Everything that needs the time is handed one."""

import time
from datetime import UTC, datetime, timedelta

from app.domain.ports import Clock


class SystemClock:
    """Wall time in UTC, and a monotonic count of seconds for durations."""

    def now(self) -> datetime:
        """Return the time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never steps."""
        return time.monotonic()


class SteadyClock:
    """A clock that never goes back: when the wall clock is set back, it goes on at the pace of monotonic time.

    The queue and the sender live by it. A mail that was accepted while the clock was ahead is due all the same
    once it is set right, and no retry waits longer, or less, than it was meant to.
    """

    def __init__(self, clock: Clock, *, not_before: datetime) -> None:
        """`not_before` is the latest time that the journal knows."""
        self._clock = clock
        self._monotonic = clock.monotonic()
        self._now = max(clock.now(), not_before)

    def now(self) -> datetime:
        """Return the wall time, or one later than it, never earlier than before."""
        monotonic = self._clock.monotonic()
        passed = timedelta(seconds=monotonic - self._monotonic)
        self._now = max(self._now + passed, self._clock.now())
        self._monotonic = monotonic
        return self._now

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never steps."""
        return self._clock.monotonic()
