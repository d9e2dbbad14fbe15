"""The breaker of a relay: after a fault nothing is tried for a while, then one probe decides."""

from app.domain.backoff import configuration_pause, relay_pause
from app.domain.outcome import Deferred, Scope

NO_PROBE = 0  # tickets count from 1


class Breaker:
    """Closed while the relay works. All times are monotonic seconds.

    It also counts for how long the relay has been usable: a mail's lifetime counts only that time.
    """

    def __init__(self, *, now: float, usable_seconds: float = 0) -> None:
        """Start closed, with the usable time of earlier runs."""
        self.fault: Deferred | None = None
        self.failures = 0
        self.retry_at = now
        self._tickets = 0
        self._probe = NO_PROBE
        self._usable = usable_seconds
        self._closed_at = now

    def admits(self, now: float) -> bool:
        """Tell whether an attempt may be made now: any while closed, one probe once the pause is over."""
        return self.fault is None or (now >= self.retry_at and self._probe == NO_PROBE)

    def begin(self) -> int:
        """Note that an admitted attempt begins, and return its ticket; while open it is the probe."""
        self._tickets += 1
        if self.fault is not None:
            self._probe = self._tickets
        return self._tickets

    def give_up(self, ticket: int) -> None:
        """Note that the attempt came to nothing; if it was the probe, another may be it."""
        if ticket == self._probe:
            self._probe = NO_PROBE

    def trip(self, fault: Deferred, now: float, random: float, *, ticket: int) -> bool:
        """Note that an attempt met a fault; return whether that was news.

        While open only the probe's fault is: attempts that began before the first fault say nothing new.
        """
        if self.fault is not None and ticket != self._probe:
            return False
        if self.fault is None:
            self._usable += now - self._closed_at
        self.failures += 1
        self.fault = fault
        self._probe = NO_PROBE
        self.retry_at = now + self._pause(fault, random)
        return True

    def _pause(self, fault: Deferred, random: float) -> float:
        if fault.scope is Scope.CONFIGURATION:
            return configuration_pause(self.failures).total_seconds()
        return relay_pause(self.failures, random).total_seconds()

    def reset(self, now: float) -> bool:
        """Note that the relay works; return whether that was news."""
        if self.fault is None:
            return False
        self.fault = None
        self.failures = 0
        self._probe = NO_PROBE
        self._closed_at = now
        return True

    def probe_now(self, now: float) -> None:
        """End the pause, so that the next attempt is the probe."""
        self.retry_at = min(self.retry_at, now)

    def usable_seconds(self, now: float) -> int:
        """Return for how long the relay has been usable, in all runs together."""
        return int(self._usable + (now - self._closed_at if self.fault is None else 0))
