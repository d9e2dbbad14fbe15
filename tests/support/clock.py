"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)


class FakeClock:
    """Stands still until it is moved. With `tick` each look at `monotonic` takes that many seconds."""

    def __init__(self, *, at: datetime = NOW, tick: float = 0) -> None:
        self.wall = at
        self.seconds = 1000.0
        self._tick = tick

    def now(self) -> datetime:
        """Return the wall time."""
        return self.wall

    def monotonic(self) -> float:
        """Return the count of seconds."""
        self.seconds += self._tick
        return self.seconds

    def pass_time(self, duration: timedelta) -> None:
        """Let both kinds of time go on by `duration`."""
        self.wall += duration
        self.seconds += duration.total_seconds()
