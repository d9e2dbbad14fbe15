"""The sender's queue: a small window on the journal. A backlog of millions stays on the disk."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.ports import Clock, DueQuery, MailStore
from app.pipeline.lanes import Lanes
from app.pipeline.ready import ReadyMails

log = structlog.get_logger()

WINDOW = 200  # mails in memory: more would make a new critical mail wait behind them
LOW_WATER = WINDOW // 2
WINDOW_BYTES = 16 * 1024 * 1024  # of alerts in the window; one alert alone may be larger
POLL_SECONDS = 1.0  # how late a retry may be
URGENT_PAGE = 20  # mails beyond a full window, when what has come is more severe than all that wait in it
DRAIN_HORIZON = timedelta(days=3650)  # at a stop, retries that wait are tried once ahead of their time
# Mails that are leased together, before any of them is handed out. A crash flags all that are leased as possibly
# sent, so they are few; fewer would make the workers wait for the disk.
LEASE = 32
LEASE_LOW_WATER = LEASE // 2
IDLE_LEASE_SECONDS = 2.0  # mails that no worker came for, because no relay works, are not under way


class MailQueue:
    """Hands out envelopes that are due, each to one worker at a time, until it is settled or put back.

    A mail goes from the journal into the window, is leased there (the journal knows durably that it may be under
    way), is ready then, and goes to a worker.
    """

    def __init__(self, *, store: MailStore, clock: Clock, most_heavy: int) -> None:
        """Nothing is read before `run`. `clock` must never go back.

        `most_heavy` is how many mails with attachments are handed out at once.
        """
        self._store = store
        self._clock = clock
        self._window: deque[QueuedMail] = deque()
        self._ready = ReadyMails(most_heavy=most_heavy)
        self._lanes = Lanes()
        self._held: set[int] = set()  # in the window, ready, or with a worker
        self._leased: set[int] = set()
        self._leasing = False
        self._taken_at = 0.0  # on the clock of the event loop
        self._sending: set[int] = set()
        self._tried: set[int] = set()
        self._wake = asyncio.Event()
        self._urgent = False
        self.draining = False
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
                self._release_idle()
                self._end_if_drained()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _refill(self) -> bool:
        """Read a page; return whether the next should follow at once, because the window has room still."""
        draining = self.draining  # a read that began before the drain did not see what waits for a retry
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
        # One that was withdrawn or begun while the read was on its way is not ours to hand out.
        self._admit([mail for mail in mails if mail.envelope.id not in self._held])
        self._nothing_left = draining and not mails
        return len(self._window) <= LOW_WATER and bool(mails)

    def _admit(self, mails: Sequence[QueuedMail]) -> None:
        self._held.update(mail.envelope.id for mail in mails)
        if mails:
            self._window = deque(sorted([*self._window, *mails], key=_most_severe_first))
        self._lease_next()

    def _lease_next(self) -> None:
        """Lease the next mails of the window; if enough are ready, only such as are more severe."""
        if self._leasing or self.finished or self._is_idle():
            return
        least = self._ready.highest_rank + 1 if len(self._ready) > LEASE_LOW_WATER else 0
        mails: list[QueuedMail] = []
        while self._window and len(mails) < LEASE and self._window[0].envelope.severity.rank >= least:
            mails.append(self._window.popleft())
        if not mails:
            return
        self._leased.update(mail.envelope.id for mail in mails)
        self._leasing = True
        self._lease(lambda done: self._on_leased(mails, done))
        if len(self._window) <= LOW_WATER:
            self._wake.set()

    def _lease(self, on_done: Callable[["asyncio.Future[None]"], None]) -> None:
        asyncio.ensure_future(self._store.lease(frozenset(self._leased))).add_done_callback(on_done)

    def _is_idle(self) -> bool:
        """Whether no worker has come for a mail lately, nor waits for one."""
        since_taken = asyncio.get_running_loop().time() - self._taken_at
        return not self._lanes.somebody_waits and since_taken > IDLE_LEASE_SECONDS

    def _release_idle(self) -> None:
        """Give up leases that nobody asks for: a crash would flag the mails for nothing."""
        if self._ready and self._is_idle():
            self._release_ready()
            self._lease(_note_failed_lease)

    def _release_ready(self) -> None:
        """Let the ready mails wait in the window again, unless others are just being leased."""
        if self._leasing:
            return
        self._leased -= {mail.envelope.id for mail in self._ready}
        self._window = deque(sorted([*self._ready.clear(), *self._window], key=_most_severe_first))

    def _on_leased(self, mails: Sequence[QueuedMail], done: "asyncio.Future[None]") -> None:
        self._leasing = False
        if done.cancelled() or self.finished:
            return
        if done.exception():
            _note_failed_lease(done)  # the journal is broken; the mails wait for the next start
            return
        self._ready.add(mails)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._lanes.somebody_waits and (mail := self._ready.take()) is not None:
            self._taken_at = asyncio.get_running_loop().time()
            self._lanes.serve(mail)
        self._lease_next()

    async def take(self, *, within: timedelta, lane: str) -> QueuedMail | None:
        """Return the next mail to send; None if none came `within` this time, or none will (`finished`).

        Those who wait in several lanes are served in turn, lane by lane.
        """
        mail = self.take_now()
        if mail is not None or self.finished:
            return mail
        return await self._lanes.wait(lane, within)

    def take_now(self, *, heavy_too: bool = True) -> QueuedMail | None:
        """Return the next mail if one is ready; not `heavy_too`, none if it has attachments."""
        self._taken_at = asyncio.get_running_loop().time()
        mail = self._ready.take(heavy_too=heavy_too)
        self._lease_next()
        return mail

    def put_back(self, mail: QueuedMail) -> None:
        """Return a mail that was not tried; it is the next to be handed out."""
        self._sending.discard(mail.envelope.id)
        if self.finished:
            return
        self._ready.put_back(mail)
        if self._window and self._window[0].envelope.severity.rank > mail.envelope.severity.rank:
            self._release_ready()  # those more severe are leased first
        self._hand_out()

    def free_heavy_place(self, envelope_id: int) -> None:
        """Say that this mail, if it has attachments, does not keep others with attachments waiting any more."""
        self._ready.free_heavy_place(envelope_id)
        self._hand_out()

    def settle(self, envelope_id: int, *, waits: bool) -> None:
        """Say that the outcome is in the journal; an envelope that `waits` for a retry may be read from there again."""
        self._held.discard(envelope_id)
        self._leased.discard(envelope_id)
        self._sending.discard(envelope_id)
        self.free_heavy_place(envelope_id)
        if self.draining:
            if waits:
                self._tried.add(envelope_id)
            self.wake()

    def withdraw(self, envelope_id: int) -> bool:
        """Take an envelope out of the queue, to be settled elsewhere; False if it may be under way."""
        is_here = any(mail.envelope.id == envelope_id for mail in (*self._window, *self._ready))
        if envelope_id in self._held and not is_here:
            return False
        self._window = deque(mail for mail in self._window if mail.envelope.id != envelope_id)
        self._ready.remove(envelope_id)
        self._held.add(envelope_id)
        return True

    def drain(self) -> None:
        """Hand out what waits for a retry too, each once, and finish when nothing is left."""
        self.draining = True
        self.wake()

    def abandon(self) -> None:
        """Hand out nothing more: what is left stays in the journal for the next start."""
        self.finished = True
        self._window.clear()
        self._ready.clear()
        self._lanes.dismiss()
        self.wake()

    def _end_if_drained(self) -> None:
        if self._nothing_left and not self._held:
            self.abandon()


def _note_failed_lease(done: "asyncio.Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("lease_failed", exc_info=error)


def _most_severe_first(mail: QueuedMail) -> int:
    return -mail.envelope.severity.rank
