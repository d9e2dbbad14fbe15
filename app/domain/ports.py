"""The ports: what the middle needs from outside, each as small as its users allow."""

from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.alert import AcceptedAlert, Severity
from app.domain.envelope import Envelope, EnvelopeState, Letterhead, QueuedMail
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

    async def accept(self, alerts: Sequence[AcceptedAlert], envelopes: Sequence[Envelope]) -> None:
        """Return once all is committed and fsynced. Raises JournalUnavailable, then nothing was taken."""


class MailStore(Protocol):
    """Where the sender finds its work and leaves its outcomes."""

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Return envelopes that are due, in the order to send them."""

    def record(self, verdict: Verdict) -> Awaitable[None]:
        """Take the verdict at once; what is returned is done once it is committed and fsynced.

        It waits for as long as the journal cannot be written: an outcome that was seen is not forgotten.
        """


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


class Letterheads(Protocol):
    """Where letterheads are kept, each once."""

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number under which this letterhead is stored, storing it if it is new."""
