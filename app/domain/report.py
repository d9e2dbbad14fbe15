"""What the system can say of an alert afterwards: its state, and the outcome for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.acknowledgement import AckEvent
from app.domain.alert import AcceptedAlert, Severity, Status
from app.domain.dead_letter import EnvelopeEvent
from app.domain.envelope import Delivery, EnvelopeState, Letterhead, state_of_all


class AlertState(StrEnum):
    """Where an alert stands, in the words that people read."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    PARTLY_SENT = "partly sent"
    FAILED = "failed"
    DROPPED = "dropped"
    KEPT = "kept"  # on record, and mailed to nobody


STATE_NAMES: Mapping[EnvelopeState, AlertState] = {
    EnvelopeState.OPEN: AlertState.QUEUED,
    EnvelopeState.SENT: AlertState.SENT,
    EnvelopeState.PARTLY_SENT: AlertState.PARTLY_SENT,
    EnvelopeState.FAILED: AlertState.FAILED,
    EnvelopeState.DROPPED: AlertState.DROPPED,
    EnvelopeState.KEPT: AlertState.KEPT,
}


@dataclass(frozen=True, slots=True)
class EnvelopeReport:
    """One mail made for the alert. `finished_at` is None while a recipient waits; then `due_at` is the next try."""

    id: int
    state: EnvelopeState
    made_at: datetime
    due_at: datetime
    finished_at: datetime | None
    letterhead: Letterhead
    deliveries: tuple[Delivery, ...]
    events: tuple[EnvelopeEvent, ...] = ()
    without_attachments: bool = False


@dataclass(frozen=True, slots=True)
class AlertReport:
    """One alert, the mails made for it, and who acknowledged it: all events, the first one first."""

    accepted: AcceptedAlert
    envelopes: tuple[EnvelopeReport, ...]
    acknowledgements: tuple[AckEvent, ...] = ()

    @property
    def state(self) -> EnvelopeState:
        """Where the alert stands, all its mails together."""
        return state_of_all({envelope.state for envelope in self.envelopes})


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """One line of a list of alerts. `state` is that of all its mails together."""

    id: int
    received_at: datetime
    subject: str
    severity: Severity
    status: Status
    source: str
    envelope_ids: tuple[int, ...]
    state: EnvelopeState


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts, newest first. `next_before` is the id to go on from, None at the end."""

    alerts: tuple[AlertSummary, ...]
    next_before: int | None
