"""The breaker of a relay: after a fault nothing is tried for a while, then one probe decides."""

from app.domain.backoff import configuration_pause, relay_pause
from app.domain.outcome import Deferred, Scope


class Breaker:
    """Closed while the relay works. All times are monotonic seconds.

    A probe that opens a session closes it again; `failures` count until a mail has left, so that a relay
    which greets and then fails is left alone for longer and longer.
    """

    def __init__(self) -> None:
        """Start closed."""
        self.fault: Deferred | None = None
        self.failures = 0  # in a row
        self.epoch = 0  # grows with each recovery: a fault that was met before it says nothing new
        self.retry_at = 0.0
        self._probing = False

    def trip(self, fault: Deferred, now: float, random: float, *, epoch: int) -> bool:
        """Note a fault met by an attempt that began in `epoch`; return whether that was news."""
        if self.fault is not None or epoch != self.epoch:
            return False
        self._open(fault, now, random)
        return True

    def begin_probe(self, now: float) -> bool:
        """Tell whether a probe may be made now, and count it as begun if so: there is one at a time."""
        if self.fault is None or self._probing or now < self.retry_at:
            return False
        self._probing = True
        return True

    def give_up_probe(self) -> None:
        """Note that the probe came to nothing, so that another may be made."""
        self._probing = False

    def fail_probe(self, fault: Deferred, now: float, random: float) -> None:
        """Note that the probe met a fault."""
        self._open(fault, now, random)

    def close(self) -> None:
        """Note that a session could be opened."""
        self.fault = None
        self.epoch += 1
        self._probing = False

    def forget_failures(self) -> None:
        """Note that the relay answered for a mail."""
        self.failures = 0

    def probe_now(self, now: float) -> None:
        """End the pause."""
        self.retry_at = min(self.retry_at, now)

    @property
    def probing(self) -> bool:
        """Whether a probe is under way."""
        return self._probing

    def _open(self, fault: Deferred, now: float, random: float) -> None:
        self.failures += 1
        self.fault = fault
        self._probing = False
        self.retry_at = now + _pause(fault, self.failures, random)


def _pause(fault: Deferred, failures: int, random: float) -> float:
    if fault.scope is Scope.CONFIGURATION:
        return configuration_pause(failures).total_seconds()
    return relay_pause(failures, random).total_seconds()
