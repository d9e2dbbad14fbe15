"""Alerts, envelopes and mails, made with as little as a test cares about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from app.domain.address import Mailbox
from app.domain.alert import AcceptedAlert, Alert, Link, Severity, Status
from app.domain.attachment import Attachment
from app.domain.envelope import Delivery, DeliveryState, Envelope, EnvelopeState, Letterhead, QueuedMail, Templates
from app.domain.ids import IdSource
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope, Sent
from app.domain.ports import DueQuery
from app.domain.verdict import Attempt, Verdict, judge
from tests.support.clock import NOW

SENT = Sent(Reply(250, "queued as 1", "2.0.0"))
REFUSED = Refused(Scope.RECIPIENT, "the relay refused the recipient", Reply(550, "no such user", "5.1.1"))
DEFERRED = Deferred(Scope.MESSAGE, "the relay deferred the mail", Reply(451, "later", "4.3.0"))
AMBIGUOUS = Deferred(Scope.MESSAGE, "lost after the final dot; it may have taken the mail", ambiguous=True)
RELAY_DOWN = Deferred(Scope.RELAY, "the relay refuses connections")
WRONG_PASSWORD = Deferred(Scope.CONFIGURATION, "the relay refused the password", Reply(535, "no", "5.7.8"))

LETTERHEAD = Letterhead(
    server_name="web1",
    sender=Mailbox("alerts@example.org"),
    recipients=(Mailbox("ops@example.org"), Mailbox("boss@example.org", "The Boss")),
    templates=Templates(text="text", html="html"),
)
FULL = Alert(
    subject="Größe von /var überschritten",
    content="93 % belegt.\n漢字 \U0001f4a5\x00",
    severity=Severity.CRITICAL,
    status=Status.RESOLVED,
    source="cron <root>",
    labels={"host": "web1", "": ""},
    key="web1:/var",
    starts_at=datetime(2026, 3, 4, 6, tzinfo=timezone(timedelta(hours=1))),
    ends_at=datetime(2026, 3, 4, 7, 0, 0, 1, tzinfo=UTC),
    links=(Link("https://grafana.example/d/1?a=1&b=2", "Dashboard"), Link("https://x.example")),
    extra={"values": {"used": 93.5, "list": [1, None, True]}},
    notes=("the content was cut",),
)
LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is accepted together: alerts, and an envelope for each."""

    alerts: tuple[AcceptedAlert, ...]
    envelopes: tuple[Envelope, ...]


class Factory:
    """Makes alerts and envelopes with ids that grow, as acceptance gives them."""

    def __init__(self, *, letterhead_id: int = 1, last_id: int = 0) -> None:
        self.letterhead_id = letterhead_id
        self._ids = IdSource(last=last_id)

    def batch(
        self,
        count: int = 1,
        *,
        at: datetime = NOW,
        due_at: datetime | None = None,
        running_seconds: int = 0,
        alert: Alert | None = None,
        **of: Any,
    ) -> Batch:
        """Return `count` alerts accepted `at` that time, each the `alert` given or made with the fields `of`."""
        body = alert or Alert(**{"subject": "disk full", **of})
        now_ms = int(at.timestamp() * 1000)
        alerts = tuple(AcceptedAlert(self._ids.next_id(now_ms), at, body) for _ in range(count))
        envelopes = (self._envelope(accepted, now_ms, due_at or at) for accepted in alerts)
        return Batch(alerts, tuple(replace(envelope, running_seconds=running_seconds) for envelope in envelopes))

    def alert_to(self, receivers: int, *, state: EnvelopeState = EnvelopeState.OPEN, **of: Any) -> Batch:
        """Return one alert with a mail for each of so many receivers, all of one letterhead, in this state."""
        batch = self.batch(**of)
        more = (self.batch(**of).envelopes[0] for _ in range(receivers - 1))
        envelopes = (*batch.envelopes, *(replace(each, alert_id=batch.alerts[0].id) for each in more))
        return Batch(batch.alerts, tuple(replace(envelope, state=state) for envelope in envelopes))

    def _envelope(self, accepted: AcceptedAlert, now_ms: int, due_at: datetime) -> Envelope:
        return Envelope(
            id=self._ids.next_id(now_ms),
            alert_id=accepted.id,
            letterhead_id=self.letterhead_id,
            made_at=accepted.received_at,
            severity=accepted.alert.severity,
            due_at=due_at,
        )

    def mail(
        self, *, recipients: int = 2, due_at: datetime | None = None, usable_seconds: int = 0, **of: Any
    ) -> QueuedMail:
        """Return one mail as the queue hands it out, nothing of it tried yet."""
        batch = self.batch(due_at=due_at, **of)
        return QueuedMail(
            envelope=replace(batch.envelopes[0], usable_seconds=usable_seconds),
            accepted=batch.alerts[0],
            letterhead=replace(LETTERHEAD, recipients=LETTERHEAD.recipients[:recipients]),
            deliveries=tuple(map(Delivery, range(recipients))),
        )


def many_recipients(count: int, *, address: str = "r{}@example.org") -> QueuedMail:
    """Return a mail to so many recipients, numbered from 0."""
    recipients = tuple(Mailbox(address.format(number)) for number in range(count))
    mail = Factory().mail()
    letterhead = replace(LETTERHEAD, recipients=recipients)
    return replace(mail, letterhead=letterhead, deliveries=tuple(map(Delivery, range(count))))


def an_attachment(data: bytes = b"free: 0", name: str = "df.txt", content_type: str = "text/plain") -> Attachment:
    """Return a file as the intake took it."""
    return Attachment(name=name, content_type=content_type, size_bytes=len(data), data=data)


def an_attempt(**changes: Any) -> Attempt:
    """Return an attempt at NOW, without jitter."""
    usual: dict[str, Any] = {
        "relay": "mx1",
        "at": NOW,
        "usable_seconds": 0,
        "running_seconds": 0,
        "lifetime": LIFETIME,
        "random": 0.5,
    }
    return Attempt(**usual | changes)


def judged(mail: QueuedMail, outcomes: Sequence[Outcome], **attempt: Any) -> Verdict:
    """Return the verdict, where something is charged; the outcomes are those of all pending recipients, in order."""
    by_position = {delivery.position: outcome for delivery, outcome in zip(mail.pending, outcomes, strict=True)}
    verdict = judge(mail, by_position, an_attempt(**attempt))
    assert verdict is not None
    return verdict


def verdict_on(envelope_id: int, outcome: Outcome = SENT, *, at: datetime = NOW) -> Verdict:
    """Return a verdict that says the same of the one recipient that it touches."""
    states = {Sent: DeliveryState.SENT, Refused: DeliveryState.REFUSED, Deferred: DeliveryState.PENDING}
    ambiguous = isinstance(outcome, Deferred) and outcome.ambiguous
    state = {Sent: EnvelopeState.SENT, Refused: EnvelopeState.FAILED, Deferred: EnvelopeState.OPEN}[type(outcome)]
    delivery = Delivery(
        position=0,
        state=states[type(outcome)],
        attempts=1,
        last_attempt_at=at,
        relay="mx1",
        reply=str(outcome.reply or ""),
        reason="" if isinstance(outcome, Sent) else outcome.reason,
        ambiguous=ambiguous,
    )
    is_open = state is EnvelopeState.OPEN
    return Verdict(
        envelope_id=envelope_id,
        state=state,
        due_at=at + timedelta(minutes=1) if is_open else at,
        finished_at=None if is_open else at,
        ambiguous=ambiguous,
        deliveries=(delivery,),
    )


def due_query(**changes: Any) -> DueQuery:
    """Return a query for all that is due at NOW."""
    usual: dict[str, Any] = {"until": NOW, "held": frozenset(), "count": 100, "max_bytes": 1 << 24}
    return DueQuery(**usual | changes)
