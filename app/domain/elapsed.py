"""Time that only runs while something is so: it knows nothing of the wall clock, which can jump."""

from app.domain.ports import Clock


class Stopwatch:
    """Counts the seconds in which it ran, in all runs of the daemon together."""

    def __init__(self, clock: Clock, *, seconds_before: float) -> None:
        """Start at once, with what the journal has kept of earlier runs."""
        self._clock = clock
        self._seconds = seconds_before
        self._since: float | None = clock.monotonic()

    def run(self, *, running: bool) -> None:
        """Go on, or stand still."""
        now = self._clock.monotonic()
        if self._since is not None:
            self._seconds += now - self._since
        self._since = now if running else None

    def seconds(self) -> int:
        """Return the whole seconds so far."""
        running = 0.0 if self._since is None else self._clock.monotonic() - self._since
        return int(self._seconds + running)
