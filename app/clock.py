"""The clocks. Everything that needs the time is handed one."""

import time
from datetime import UTC, datetime, timedelta

from app.domain.ports import Clock

CLOCK_JUMP = timedelta(minutes=5)  # NTP slews less than that, and does not need to be told of


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

    The queue, the sender and the upkeep live by it. A mail that was accepted while the clock was ahead is due all
    the same once it is set right, and no retry waits longer than it was meant to. It is never behind the wall
    either, so whatever is due by anybody's clock is due. What people read on a mail is the wall clock's time.
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


class JumpWatch:
    """Tells when the wall clock leaves the pace of monotonic time, as it does when it is set or the machine slept."""

    def __init__(self, clock: Clock, *, known_at: datetime | None) -> None:
        """`known_at` is the latest time that the journal knows: a start before it is a jump back.

        A start long after it is not told from time in which the daemon did not run.
        """
        self._clock = clock
        self._monotonic = clock.monotonic()
        self._wall = clock.now() if known_at is None else max(clock.now(), known_at)

    def look(self) -> timedelta | None:
        """Return by how much the wall clock jumped since the last look, None if it did not."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        jump = wall - self._wall - timedelta(seconds=monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        return jump if abs(jump) > CLOCK_JUMP else None
