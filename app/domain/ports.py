"""The ports: what the middle needs from outside, each as small as its users allow."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.alert import AcceptedAlert, Severity
from app.domain.dead_letter import DeadLetterPage
from app.domain.envelope import Envelope, EnvelopeState, QueuedMail
from app.domain.heartbeat import HeartbeatRecord
from app.domain.receipt import KeptReceipt
from app.domain.report import AlertPage, AlertReport
from app.domain.verdict import Verdict


class Clock(Protocol):
    """The time of day, aware and in UTC, and a monotonic count of seconds."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


@dataclass(frozen=True, slots=True)
class DueQuery:
    """Which open envelopes to hand out: due at `until`, none of `held`, critical first, oldest first."""

    until: datetime
    held: Collection[int]
    count: int
    max_bytes: int
    with_ambiguous: bool = True


class AlertStore(Protocol):
    """Where an accepted alert becomes durable."""

    async def accept(
        self,
        alerts: Sequence[AcceptedAlert],
        envelopes: Sequence[Envelope],
        receipts: Sequence[KeptReceipt] = (),
        heartbeats: Sequence[HeartbeatRecord] = (),
    ) -> None:
        """Return once all is committed and fsynced, in one transaction.

        Raises JournalUnavailable, then nothing was taken.
        """


class ReceiptStore(Protocol):
    """Where receipts are found again."""

    async def receipts(self, keys: Sequence[bytes]) -> Mapping[bytes, KeptReceipt]:
        """Return those that are kept under the keys of their claims, however old."""


class MailStore(Protocol):
    """Where the sender finds its work and leaves its outcomes."""

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Return envelopes that are due, in the order to send them."""

    def record(self, verdict: Verdict) -> Awaitable[None]:
        """Take the verdict at once; what is returned is done once it is committed and fsynced.

        It waits for as long as the journal cannot be written: an outcome that was seen is not forgotten.
        """

    def lease(self, envelope_ids: Collection[int]) -> Awaitable[None]:
        """Note that just these may be under way; done once that is durable.

        After a crash they are flagged: each may have been sent already. It waits like `record`.
        """

    async def attachments(self, alert_id: int) -> Mapping[int, bytes]:
        """Return the contents of the alert's attachments by their number, from 0; one that is lost is missing."""

    async def overdue(self, *, made_before: int, after: int, limit: int) -> list[QueuedMail]:
        """Return open envelopes with an id over `after`, in that order, made at or before these running seconds."""


@dataclass(frozen=True, slots=True)
class FreshStart:
    """When a dead letter is sent again, and from where its lifetime counts anew (see Envelope)."""

    at: datetime
    usable_seconds: int
    running_seconds: int


@dataclass(frozen=True, slots=True)
class RetryStep:
    """For how many dead letters one step did it. `after` is where the next one goes on, None at the end."""

    retried: int
    after: int | None


class DeadLetterStore(Protocol):
    """Mails that failed, and what people do to them. What is done is on the record.

    A `number` is the id of an envelope or of its alert: people see both, and no two things have the same.
    """

    async def dead_letters(self, *, before: int | None, limit: int) -> DeadLetterPage:
        """Return mails with an envelope id under `before` that failed for some recipient, newest first."""

    async def retry(self, number: int, start: FreshStart) -> bool:
        """Let the recipients that failed wait for an attempt again; False if it is no dead letter.

        Raises JournalUnavailable when the backlog has no room for it.
        """

    async def retry_some(self, limit: int, start: FreshStart, *, after: int = 0) -> RetryStep:
        """Do so for up to `limit` dead letters with an envelope id over `after`, the oldest first.

        Step by step each is retried once, also those that fail again meanwhile.
        """

    async def drop(self, number: int, at: datetime) -> bool:
        """Give up the recipients that failed; False if it is no dead letter."""


@dataclass(frozen=True, slots=True)
class PruneStep:
    """What one step did. `after` is where the next one goes on, None at the end."""

    removed: int
    after: int | None


class AlertArchive(Protocol):
    """What people ask about alerts."""

    async def find(self, alert_id: int) -> AlertReport | None:
        """Return the alert and its mails, None if it is not (or no longer) known."""

    async def page(
        self, *, before: int | None, limit: int, state: EnvelopeState | None, severity: Severity | None
    ) -> AlertPage:
        """Return alerts older than `before`, newest first."""
