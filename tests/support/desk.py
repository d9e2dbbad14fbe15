"""A journal to post alerts into, whatever it is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from app.domain.alert import Severity
from app.domain.envelope import EnvelopeState, Letterhead, QueuedMail
from app.domain.ports import (
    AckStore,
    AlertArchive,
    AlertStore,
    DeadLetterStore,
    MailboxStore,
    MailStore,
    ReceiptStore,
    SetAsideStore,
)
from app.domain.report import AlertSummary
from tests.support.factories import Batch, Factory, due_query


class MailboxPart(MailboxStore, SetAsideStore, Protocol):
    """What the mailbox asks of a journal."""


class Journal(AlertStore, ReceiptStore, MailStore, DeadLetterStore, AlertArchive, AckStore, Protocol):
    """All ports of one journal, and what watches it."""

    @property
    def mailbox(self) -> MailboxPart:
        """The part that the reading side fills."""
        ...

    @property
    def open_count(self) -> int:
        """How many envelopes wait."""
        ...

    async def oldest_open(self) -> datetime | None:
        """Return since when the mail that waits longest has been waiting."""
        ...

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return the lowest running seconds among open mails of this severity or above that nobody sees to."""
        ...

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime | None = None
    ) -> list[QueuedMail]:
        """Return mails that have waited for long; with that time, those that nobody sees to."""
        ...

    async def mail(self, envelope_id: int) -> QueuedMail | None:
        """Return the mail, whatever its state."""
        ...

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Note the alarm, unless one was within `quiet`."""
        ...

    async def forget_receipts(self, before: datetime) -> int:
        """Remove some receipts made before that time, the oldest first; return how many."""
        ...

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number under which this letterhead is stored, storing it if it is new."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """A journal, and what fills it."""

    journal: Journal
    make: Factory

    async def post(self, count: int = 1, **of: Any) -> Batch:
        """Accept alerts."""
        batch = self.make.batch(count, **of)
        await self.journal.accept(batch.alerts, batch.envelopes)
        return batch

    async def post_to(self, receivers: int, *, state: EnvelopeState = EnvelopeState.OPEN, **of: Any) -> Batch:
        """Accept one alert with a mail for each of so many receivers, in this state from the beginning."""
        batch = self.make.alert_to(receivers, state=state, **of)
        await self.journal.accept(batch.alerts, batch.envelopes)
        return batch

    async def due_ids(self, **query: Any) -> list[int]:
        """Return what would be sent next."""
        return [mail.envelope.id for mail in await self.journal.due(due_query(**query))]

    async def pages(self, limit: int, **filters: Any) -> list[list[AlertSummary]]:
        """Follow the cursor from the newest alert to the end."""
        pages = []
        before = None
        while True:
            page = await self.journal.page(before=before, limit=limit, **{"state": None, "severity": None} | filters)
            pages.append(list(page.alerts))
            if page.next_before is None:
                return pages
            before = page.next_before


def envelope_ids(batch: Batch) -> list[int]:
    """Return the ids of the batch's envelopes."""
    return [envelope.id for envelope in batch.envelopes]
