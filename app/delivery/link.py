"""The link to one relay: its breaker, how much it bears, and the workers that wait for it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import structlog

from app.delivery.connection import Connection, SendResult
from app.delivery.track_record import TrackRecord, is_word
from app.domain.breaker import Breaker
from app.domain.concurrency import ConcurrencyLimit
from app.domain.errors import MailAlertError
from app.domain.outcome import Deferred, Outcome, Scope, in_words
from app.domain.ports import Clock
from app.domain.rate import TokenBucket
from app.domain.relay import RelayPolicy

log = structlog.get_logger()

# RFC 5321 section 4.5.3.1.8: every server takes 100 recipients in one transaction; more than that is a try.
MOST_RECIPIENTS = 100

Connect = Callable[[bool], Awaitable[Connection]]  # whether it may pipeline; raises RelayFault


class Turn(Enum):
    """What a worker may do next."""

    SEND = auto()  # one mail
    PROBE = auto()  # open a session, to see whether the relay is back
    END = auto()


class StillBroken(MailAlertError):
    """The relay was found broken while this worker waited for its turn to connect."""

    def __init__(self, fault: Deferred) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class RelayLink:
    """What all workers of one relay share.

    A link sends while its breaker is closed and no relay that goes before it is usable (`is_active`, which
    `Relays` sets).
    """

    def __init__(self, *, name: str, policy: RelayPolicy, connect: Connect, clock: Clock) -> None:
        """Start usable: the first attempt tells."""
        self.name = name
        self.policy = policy
        self.is_active = True
        self.others_work = False  # which `Relays` sets, too
        self.on_change: Callable[[], None] = _nobody_cares
        self.last_reason = ""  # why the last mail could not leave, in words
        self.most_recipients = MOST_RECIPIENTS
        self.record = TrackRecord(name)
        self._connect = connect
        self._clock = clock
        self._breaker = Breaker()
        self._concurrency = ConcurrencyLimit(policy.connections)
        self._bucket = TokenBucket(policy.rate, now=clock.monotonic()) if policy.rate else None
        self._holders: list[int] = []  # workers that have a session open, the oldest session first
        self._changed = asyncio.Event()
        self._stalled: set[int] = set()  # of them, those whose relay thinks about a mail for long
        self._first_opening = asyncio.Lock()
        self._draining = False
        self._last_probe_failed = False  # of a drain
        self._stopped = False

    @property
    def fault(self) -> Deferred | None:
        """Why nothing is sent over it just now, None while it is usable."""
        return self._breaker.fault

    @property
    def failures(self) -> int:
        """How many faults in a row."""
        return self._breaker.failures

    @property
    def probing(self) -> bool:
        """Whether a probe is under way."""
        return self._breaker.probing

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._holders)

    @property
    def is_stalled(self) -> bool:
        """Whether the relay thinks about the mails of all its workers for long."""
        return len(self._stalled) >= self.policy.connections

    @property
    def epoch(self) -> int:
        """What `trip` wants to know: when the attempt began."""
        return self._breaker.epoch

    @property
    def ended(self) -> bool:
        """Whether nothing more is tried: it was stopped, or a drain found it broken."""
        return self._stopped or (self._draining and self.fault is not None and self._is_hopeless(self.fault))

    async def connect(self, *, is_probe: bool = False) -> Connection:
        """Return a connection that is ready. Raises RelayFault.

        While no session is open one worker tries, and the others wait for what comes of it: a wrong password must
        not be said by all of them at once. Unless it is a probe, raises StillBroken if the relay is found broken.
        """
        async with self._first_opening if not self._holders else contextlib.nullcontext():
            if not self._holders:
                if self.fault is not None and not is_probe:
                    raise StillBroken(self.fault)
                return await self._connect(self.record.bears_pipelining)
        return await self._connect(self.record.bears_pipelining)

    def opened(self, number: int) -> None:
        """Note that worker `number` has a session now."""
        self._holders.append(number)

    def closed(self, number: int) -> None:
        """Note that worker `number` has none any more."""
        self._holders.remove(number)
        self.resumed(number)
        self._changed.set()

    def stalled(self, number: int) -> None:
        """Note that the relay thinks about the mail of worker `number` for long: others need not wait for that."""
        self._stalled.add(number)
        self._tell()

    def resumed(self, number: int) -> None:
        """Note that it has answered."""
        if number in self._stalled:
            self._stalled.remove(number)
            self._tell()

    def wants(self, number: int) -> bool:
        """Tell whether worker `number` (from 0) is one of those that send, though perhaps not this very moment."""
        may_anybody = self.is_active and self.fault is None and not self._stopped
        return may_anybody and self._rank(number) < self._concurrency.allowed

    def _rank(self, number: int) -> int:
        """Return how many workers come before this one: whoever has a session first, so that few need be opened."""
        line = self._going()
        if number in line:
            return line.index(number)
        return len(line) + sum(other not in self._holders for other in range(number))

    def _going(self) -> list[int]:
        """Return the workers whose session can take a mail, or has one on its way."""
        return [number for number in self._holders if number not in self._stalled] if self._stalled else self._holders

    def may_send(self, number: int) -> bool:
        """Tell whether worker `number` (from 0) may send a mail now."""
        if not self.wants(number):
            return False
        return self._bucket is None or not self._bucket.wait(self._clock.monotonic())

    def begin_mail(self) -> None:
        """Count a mail that goes over this relay."""
        if self._bucket is not None:
            self._bucket.take(self._clock.monotonic())

    async def turn(self, number: int) -> Turn:
        """Wait until worker `number` (from 0) has something to do, and return what."""
        while not self.ended:
            if self.may_send(number):
                return Turn.SEND
            if self._breaker.begin_probe(self._clock.monotonic()):
                return Turn.PROBE
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._pause(number))
        return Turn.END

    def _pause(self, number: int) -> float | None:
        """Return the seconds until something may have changed by itself; None if only others can change it."""
        now = self._clock.monotonic()
        if self.fault is not None:
            return None if self.probing else max(0.0, self._breaker.retry_at - now)
        if self._bucket is not None and self.wants(number):
            return self._bucket.wait(now)
        return None

    def trip(self, fault: Deferred, epoch: int, *, rests: bool = False) -> None:
        """Note a fault of the relay or the way to it, met by an attempt that began in `epoch`.

        `rests`: a session that opens proves nothing, so the relay is left alone for minutes.
        """
        self.last_reason = in_words(fault)
        if self._breaker.trip(fault, self._clock.monotonic(), _jitter(), epoch=epoch, rests=rests):
            self._tripped(fault)

    def probe_failed(self, fault: Deferred) -> None:
        """Note that the probe met a fault."""
        self.last_reason = in_words(fault)
        self._last_probe_failed = self._draining
        self._breaker.fail_probe(fault, self._clock.monotonic(), _jitter())
        self._tripped(fault)

    def probe_abandoned(self) -> None:
        """Note that the probe was cut off."""
        self._breaker.give_up_probe()

    def _tripped(self, fault: Deferred) -> None:
        log.warning(
            "relay_fault",
            relay=self.name,
            scope=fault.scope,
            reason=fault.reason,
            reply=str(fault.reply or ""),
            failures=self.failures,
            retry_in_seconds=round(self._breaker.retry_at - self._clock.monotonic(), 1),
        )
        self._tell()

    def recovered(self) -> None:
        """Note that a probe has opened a session: one worker goes first, and the others follow if all is well."""
        self._breaker.close()
        self._concurrency.restart()
        log.info("relay_recovered", relay=self.name)
        self._tell()

    def turned_away(self, fault: Deferred) -> bool:
        """Note that a connection was turned away; tell whether that is because there are others already.

        A greeting with 421 or another 4xx says "too many" then, and is no reason to leave the relay alone: those
        that have a session go on.
        """
        if fault.reply is None or fault.reply.code >= 500 or not self._going():
            return False
        self._concurrency.congested()
        log.info("relay_congested", relay=self.name, reply=str(fault.reply), connections=self._concurrency.allowed)
        return True

    def answered(self, result: SendResult, epoch: int, *, again: bool = False) -> None:
        """Note what the relay made of a mail, though perhaps only "later"; `again`: in one more transaction for it."""
        if any(map(is_word, result.outcomes)):
            self._breaker.forget_failures()
        deferred = [outcome for outcome in result.outcomes if isinstance(outcome, Deferred)]
        self.last_reason = in_words(deferred[0]) if len(deferred) == len(result.outcomes) else ""
        if any(map(_is_congestion, result.outcomes)):
            self._concurrency.congested()
        elif self._concurrency.succeeded():
            self._changed.set()
        fault = self.record.note_answer(result, again=again)
        # The only relay goes on where it puts mails off: they may be of one kind, and others need not wait for that.
        if fault is not None and (self.others_work or fault.reply is None):
            self.trip(fault, epoch, rests=self.others_work)

    def takes_recipients(self, count: int) -> None:
        """Note that the relay takes no more than `count` recipients in one mail."""
        self.most_recipients = max(1, min(self.most_recipients, count))

    def set_active(self, *, active: bool, others_work: bool) -> None:
        """Let it send, or stand by. When no other relay works it rests no longer."""
        self.is_active = active
        self.others_work = others_work
        if not others_work:
            self._breaker.end_rest(self._clock.monotonic())
        self._changed.set()

    def drain(self) -> None:
        """Probe once more now, unless the settings are at fault: hammering a wrong password locks the account."""
        self._draining = True
        self._breaker.probe_now(self._clock.monotonic())
        self._changed.set()

    def stop(self) -> None:
        """Let nothing more be sent."""
        self._stopped = True
        self._changed.set()

    def _is_hopeless(self, fault: Deferred) -> bool:
        return fault.scope is Scope.CONFIGURATION or self._last_probe_failed

    def _tell(self) -> None:
        self._changed.set()
        self.on_change()


def _is_congestion(outcome: Outcome) -> bool:
    # A 4xx to a recipient is about that mailbox; one to the mail is mostly about load (RFC 5321 section 4.2.5).
    return isinstance(outcome, Deferred) and outcome.scope is Scope.MESSAGE and outcome.reply is not None


def _jitter() -> float:
    # Relays that many senders lost at once must not get them all back at once.
    return random.random()  # noqa: S311 - jitter, no secret


def _nobody_cares() -> None:
    """Do nothing: a link on its own."""
