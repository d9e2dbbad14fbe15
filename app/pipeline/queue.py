"""The sender's queue: a small window on the journal. A backlog of millions stays on the disk."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import structlog

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.ports import Clock, DueQuery, MailStore

log = structlog.get_logger()

WINDOW = 200  # mails in memory: more would make a new critical mail wait behind them
LOW_WATER = WINDOW // 2
WINDOW_BYTES = 16 * 1024 * 1024  # of alerts in the window; one alert alone may be larger
POLL_SECONDS = 1.0  # how late a retry may be
URGENT_PAGE = 20  # mails beyond a full window, when what has come is more severe than all that wait in it
DRAIN_HORIZON = timedelta(days=3650)  # at a stop, retries that wait are tried once ahead of their time


class MailQueue:
    """Hands out envelopes that are due, each to one worker at a time, until it is settled or put back."""

    def __init__(self, *, store: MailStore, clock: Clock) -> None:
        """Nothing is read before `run`. `clock` must never go back."""
        self._store = store
        self._clock = clock
        self._window: deque[QueuedMail] = deque()
        self._waiters: list[asyncio.Future[QueuedMail | None]] = []
        self._held: set[int] = set()
        self._sending: set[int] = set()
        self._tried: set[int] = set()
        self._wake = asyncio.Event()
        self._urgent = False
        self._draining = False
        self._nothing_left = False
        self.fault = ""  # why the journal cannot be read just now
        self.finished = False

    def wake(self, severity: Severity = Severity.INFO) -> None:
        """Say that there may be new mail in the journal, of this severity at most."""
        if self._window and severity.rank > self._window[0].envelope.severity.rank:
            self._urgent = True
        self._wake.set()

    def begin(self, envelope_id: int) -> None:
        """Say that an attempt at this envelope begins; it ends with `settle` or `put_back`."""
        self._sending.add(envelope_id)

    def is_sending(self, envelope_id: int) -> bool:
        """Tell whether an attempt at this envelope is under way."""
        return envelope_id in self._sending

    async def run(self) -> None:
        """Keep the window filled; ends when a drain has nothing left to hand out."""
        while not self.finished:
            self._wake.clear()
            more = await self._refill() if len(self._window) <= LOW_WATER or self._urgent else False
            if not more:
                self._end_if_drained()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _refill(self) -> bool:
        """Read a page; return whether the next should follow at once, because the window has room still."""
        draining = self._draining  # a read that began before the drain did not see what waits for a retry
        self._nothing_left = self._urgent = False
        query = DueQuery(
            until=self._clock.now() + (DRAIN_HORIZON if draining else timedelta()),
            held=self._held | self._tried,
            count=max(WINDOW - len(self._window), URGENT_PAGE),
            max_bytes=WINDOW_BYTES,
            with_ambiguous=not draining,
        )
        try:
            mails = await self._store.due(query)
        except Exception as error:  # the top of the feeder: whatever a read meets, the queue goes on
            log.exception("queue_read_failed")
            self.fault = f"the queue cannot be read: {error}"
            return False
        self.fault = ""
        self._offer(mails)
        self._nothing_left = draining and not mails
        return len(self._window) <= LOW_WATER and bool(mails)

    def _offer(self, mails: Sequence[QueuedMail]) -> None:
        self._held.update(mail.envelope.id for mail in mails)
        if mails:
            # Stable, so that what was put back stays in front of its equals.
            self._window = deque(sorted([*self._window, *mails], key=_most_severe_first))
        while self._window and self._waiters:
            # Last in, first out: the connection that was used last is used again, the others may close.
            waiter = self._waiters.pop()
            if not waiter.done():
                waiter.set_result(self._pop())

    def _pop(self) -> QueuedMail:
        mail = self._window.popleft()
        if len(self._window) == LOW_WATER:
            self.wake()
        return mail

    async def take(self, *, within: timedelta) -> QueuedMail | None:
        """Return the next mail to send; None if none came `within` this time, or none will (`finished`)."""
        if self.finished:
            return None
        if self._window:
            return self._pop()
        waiter: asyncio.Future[QueuedMail | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        done, _ = await asyncio.wait([waiter], timeout=within.total_seconds())
        if done:
            return waiter.result()
        self._waiters.remove(waiter)
        return None

    def put_back(self, mail: QueuedMail) -> None:
        """Return a mail that was not tried; it is the next to be handed out."""
        self._sending.discard(mail.envelope.id)
        self._window.appendleft(mail)
        self._offer(())

    def settle(self, envelope_id: int, *, waits: bool) -> None:
        """Say that the outcome is in the journal; an envelope that `waits` for a retry may be read from there again."""
        self._held.discard(envelope_id)
        self._sending.discard(envelope_id)
        if self._draining:
            if waits:
                self._tried.add(envelope_id)
            self.wake()

    def drain(self) -> None:
        """Hand out what waits for a retry too, each once, and finish when nothing is left."""
        self._draining = True
        self.wake()

    def abandon(self) -> None:
        """Hand out nothing more: what is left stays in the journal for the next start."""
        self.finished = True
        self._window.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        self.wake()

    def _end_if_drained(self) -> None:
        if self._nothing_left and not self._held:
            self.abandon()


def _most_severe_first(mail: QueuedMail) -> int:
    return -mail.envelope.severity.rank
