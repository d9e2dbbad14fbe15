"""What people are told of the mails in the journal that tests keep in memory."""

from collections.abc import Sequence

from app.domain.dead_letter import DeadLetter
from app.domain.envelope import FAILED, state_of_all
from app.domain.report import AlertSummary, EnvelopeReport
from tests.support.memory_entry import Entry


def report_of(entry: Entry) -> EnvelopeReport:
    """Return what became of one mail."""
    envelope = entry.mail.envelope
    return EnvelopeReport(
        id=envelope.id,
        state=entry.state,
        made_at=envelope.made_at,
        due_at=envelope.due_at,
        finished_at=entry.finished_at,
        letterhead=entry.mail.letterhead,
        deliveries=entry.mail.deliveries,
        events=tuple(entry.events),
        without_attachments=envelope.without_attachments,
    )


def summary_of(entries: Sequence[Entry]) -> AlertSummary:
    """Return the line of an alert with these mails."""
    accepted = entries[0].mail.accepted
    return AlertSummary(
        id=accepted.id,
        received_at=accepted.received_at,
        subject=accepted.alert.subject,
        severity=accepted.alert.severity,
        status=accepted.alert.status,
        source=accepted.alert.source,
        envelope_ids=tuple(entry.mail.envelope.id for entry in entries),
        state=state_of_all({entry.state for entry in entries}),
    )


def dead_letter_of(entry: Entry) -> DeadLetter:
    """Return for whom the mail failed."""
    assert entry.finished_at is not None
    mail = entry.mail
    addressed = zip(mail.letterhead.recipients, mail.deliveries, strict=True)
    return DeadLetter(
        envelope_id=mail.envelope.id,
        alert_id=mail.accepted.id,
        failed_at=entry.finished_at,
        severity=mail.envelope.severity,
        subject=mail.accepted.alert.subject,
        failed=tuple((mailbox, delivery) for mailbox, delivery in addressed if delivery.state in FAILED),
    )
