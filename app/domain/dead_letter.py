"""Dead letters: mails that some recipient will not get, unless somebody has them sent again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.address import Mailbox
from app.domain.alert import Severity
from app.domain.envelope import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One mail that failed for at least one recipient; `failed` are these, each with its delivery."""

    envelope_id: int
    alert_id: int
    failed_at: datetime
    severity: Severity
    subject: str
    failed: tuple[tuple[Mailbox, Delivery], ...]


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """Some dead letters, newest first. `next_before` is the envelope id to go on from, None at the end."""

    letters: tuple[DeadLetter, ...]
    next_before: int | None


class EnvelopeEventKind(StrEnum):
    """What people did to a mail."""

    RETRIED = "retried"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class EnvelopeEvent:
    """Something that was done to a mail, on the record."""

    at: datetime
    kind: EnvelopeEventKind
