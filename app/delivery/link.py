"""The link to one relay: its breaker, and the workers that wait for it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from app.delivery.connection import Connection
from app.domain.breaker import Breaker
from app.domain.outcome import Deferred, Outcome, Reply, Scope
from app.domain.ports import Clock

log = structlog.get_logger()

REFUSED_SENDERS = 5  # mails in a row; a sender that only one of them has is that mail's own fault


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
        self._trying_since: float | None = None
        self.last_reason = ""  # why no mail could leave, in words
        self._refusal_code = 0
        self._refusals = 0
        self._draining = False
        self._stopped = False

    @property
    def fault(self) -> Deferred | None:
        """Why nothing is sent just now, None while the relay works."""
        return self._breaker.fault

    @property
    def blocked_for(self) -> timedelta:
        """For how long attempts have been made over this relay and no mail could leave."""
        since = self._trying_since
        return timedelta() if since is None else timedelta(seconds=self._clock.monotonic() - since)

    @property
    def hopeless(self) -> bool:
        """Whether a drain should end: the one probe failed, or only other settings can help."""
        fault = self._breaker.fault
        return fault is not None and (fault.scope is Scope.CONFIGURATION or self._breaker.failures > 1)

    def usable_seconds(self) -> int:
        """Return for how long the relay has been usable, in all runs together."""
        return self._breaker.usable_seconds(self._clock.monotonic())

    async def admitted(self) -> int | None:
        """Wait until an attempt may be made and return its ticket; None when nothing more should be tried."""
        while not self._stopped:
            now = self._clock.monotonic()
            if self._breaker.admits(now):
                if self._trying_since is None:
                    self._trying_since = now
                return self._breaker.begin()
            self._changed.clear()
            # Once the pause is over somebody else is the probe: what came of it will be told.
            pause = self._breaker.retry_at - now if self._breaker.retry_at > now else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)
        return None

    def trip(self, fault: Deferred, ticket: int) -> None:
        """Note a fault of the relay or the way to it, met by an admitted attempt; workers wait from now on."""
        now = self._clock.monotonic()
        self.last_reason = _words(fault)
        # Jitter: relays that many senders lost at once must not get them all back at once.
        if self._breaker.trip(fault, now, random.random(), ticket=ticket):  # noqa: S311 - jitter, no secret
            log.warning(
                "relay_fault",
                relay=self.name,
                scope=fault.scope,
                reason=fault.reason,
                reply=str(fault.reply or ""),
                failures=self._breaker.failures,
                retry_in_seconds=round(self._breaker.retry_at - now, 1),
            )
            if self._draining and self.hopeless:
                self.stop()
        self._changed.set()

    def untried(self, ticket: int) -> None:
        """Note that an admitted attempt never came to the relay, so that another may be the probe."""
        self._breaker.give_up(ticket)
        self._changed.set()

    def refuses_every_sender(self, refusal: Reply | None) -> bool:
        """Note how the relay answered MAIL; tell whether it refuses mail after mail with the same code.

        Then the relay is at fault, or mail_from, and the queue must not be burnt on it.
        """
        if refusal is None or refusal.code != self._refusal_code:
            self._refusal_code = 0 if refusal is None else refusal.code
            self._refusals = 0
        self._refusals += refusal is not None
        return self._refusals >= REFUSED_SENDERS

    def works(self, outcomes: Sequence[Outcome]) -> None:
        """Note that the relay answered for a mail, though perhaps only with "later"."""
        deferred = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
        if len(deferred) < len(outcomes):
            self._trying_since, self.last_reason = None, ""  # a recipient is done with
        else:
            self.last_reason = _words(deferred[0])
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


def _words(deferred: Deferred) -> str:
    return f"{deferred.reason} ({deferred.reply})" if deferred.reply else deferred.reason
