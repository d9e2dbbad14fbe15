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
        self._rests = False

    def trip(self, fault: Deferred, now: float, random: float, *, epoch: int, rests: bool = False) -> bool:
        """Note a fault met by an attempt that began in `epoch`; return whether that was news.

        A relay that `rests` is left alone for minutes, as after a fault of the settings: others do its work.
        """
        if self.fault is not None or epoch != self.epoch:
            return False
        self._rests = rests
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
        self._rests = False
        self.epoch += 1
        self._probing = False

    def forget_failures(self) -> None:
        """Note that the relay answered for a mail."""
        self.failures = 0

    def end_rest(self, now: float) -> None:
        """Let it rest no longer: it is needed."""
        if self._rests:
            self._rests = False
            self.probe_now(now)

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
        self.retry_at = now + self._pause(fault, random)

    def _pause(self, fault: Deferred, random: float) -> float:
        if self._rests:
            # Longer than a mail waits that was lost behind its dot: that one should meet another relay.
            return configuration_pause(self.failures + 1).total_seconds()
        if fault.scope is Scope.CONFIGURATION:
            return configuration_pause(self.failures).total_seconds()
        return relay_pause(self.failures, random).total_seconds()
