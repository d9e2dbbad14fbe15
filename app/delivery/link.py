"""The link to one relay: its breaker, and the workers that wait for it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from app.delivery.connection import Connection
from app.domain.breaker import Breaker
from app.domain.outcome import Deferred, Scope
from app.domain.ports import Clock

log = structlog.get_logger()


class RelayLink:
    """What all workers of one relay share. Several relays will be several links."""

    def __init__(
        self, *, name: str, connect: Callable[[], Awaitable[Connection]], clock: Clock, usable_seconds: float
    ) -> None:
        """`connect` raises RelayFault. `usable_seconds` is the usable time of all earlier runs."""
        self.name = name
        self.connect = connect
        self._clock = clock
        self._breaker = Breaker(now=clock.monotonic(), usable_seconds=usable_seconds)
        self._changed = asyncio.Event()
        self._draining = False
        self._stopped = False

    @property
    def fault(self) -> Deferred | None:
        """Why nothing is sent just now, None while the relay works."""
        return self._breaker.fault

    @property
    def blocked_for(self) -> timedelta:
        """For how long no mail could leave over this relay."""
        since = self._breaker.blocked_since
        return timedelta() if since is None else timedelta(seconds=self._clock.monotonic() - since)

    @property
    def hopeless(self) -> bool:
        """Whether a drain should end: the one probe failed, or only other settings can help."""
        fault = self._breaker.fault
        return fault is not None and (fault.scope is Scope.CONFIGURATION or self._breaker.failures > 1)

    def usable_seconds(self) -> int:
        """Return for how long the relay has been usable, in all runs together."""
        return self._breaker.usable_seconds(self._clock.monotonic())

    async def admitted(self) -> bool:
        """Wait until an attempt may be made and return True; False when nothing more should be tried."""
        while not self._stopped:
            now = self._clock.monotonic()
            if self._breaker.admits(now):
                self._breaker.begin()
                return True
            self._changed.clear()
            pause = max(self._breaker.retry_at - now, 0.01)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause if self._breaker.retry_at > now else None)
        return False

    def trip(self, fault: Deferred) -> None:
        """Note a fault of the relay or the way to it; workers wait from now on."""
        # Jitter: relays that many senders lost at once must not get them all back at once.
        if self._breaker.trip(fault, self._clock.monotonic(), random.random()):  # noqa: S311 - jitter, no secret
            log.warning(
                "relay_fault",
                relay=self.name,
                scope=fault.scope,
                reason=fault.reason,
                reply=str(fault.reply or ""),
                failures=self._breaker.failures,
                retry_in_seconds=round(self._breaker.retry_at - self._clock.monotonic(), 1),
            )
        if self._draining and self.hopeless:
            self.stop()
        self._changed.set()

    def untried(self) -> None:
        """Note that an admitted attempt never came to the relay, so that another may be the probe."""
        self._breaker.give_up_probe()
        self._changed.set()

    def works(self) -> None:
        """Note that the relay took or judged a mail."""
        if self._breaker.reset(self._clock.monotonic()):
            log.info("relay_recovered", relay=self.name)
            self._changed.set()

    def drain(self) -> None:
        """Probe once more now, unless the settings are at fault: hammering a wrong password locks the account."""
        self._draining = True
        fault = self._breaker.fault
        if fault is not None and fault.scope is Scope.CONFIGURATION:
            self.stop()
        self._breaker.probe_now(self._clock.monotonic())
        self._changed.set()

    def stop(self) -> None:
        """Admit nothing more."""
        self._stopped = True
        self._changed.set()
