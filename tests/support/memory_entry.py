"""One mail in the journal that tests keep in memory, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain.bounce import BounceVerdict
from app.domain.dead_letter import EnvelopeEvent, EnvelopeEventKind
from app.domain.envelope import DEAD, FAILED, Delivery, DeliveryState, EnvelopeState, QueuedMail, state_of
from app.domain.ports import FreshStart
from app.domain.verdict import Verdict


@dataclass(slots=True)
class Entry:
    """One envelope and what became of it."""

    mail: QueuedMail
    state: EnvelopeState = EnvelopeState.OPEN
    ambiguous: bool = False
    finished_at: datetime | None = None
    events: list[EnvelopeEvent] = field(default_factory=list)

    @property
    def mail_now(self) -> QueuedMail:
        """The mail with the state that it has now."""
        return replace(self.mail, envelope=replace(self.mail.envelope, state=self.state))

    @property
    def size(self) -> int:
        """What it adds to the bytes of a page."""
        return len(self.mail.accepted.alert.subject) + len(self.mail.accepted.alert.content)

    @property
    def is_dead(self) -> bool:
        """Whether it is a dead letter."""
        return self.state in DEAD

    @property
    def waiting_since(self) -> datetime:
        """When the mail was made, or sent again last."""
        retried = [event.at for event in self.events if event.kind is EnvelopeEventKind.RETRIED]
        return max(retried, default=self.mail.envelope.made_at)

    def apply(self, verdict: Verdict) -> None:
        """Take what an attempt changed."""
        touched = {delivery.position: delivery for delivery in verdict.deliveries}
        envelope = self.mail.envelope
        without_attachments = envelope.without_attachments or verdict.without_attachments
        self.mail = replace(
            self.mail,
            envelope=replace(envelope, due_at=verdict.due_at, without_attachments=without_attachments),
            deliveries=tuple(touched.get(d.position, d) for d in self.mail.deliveries),
        )
        self.state, self.ambiguous, self.finished_at = verdict.state, verdict.ambiguous, verdict.finished_at
        if any(delivery.state is DeliveryState.BOUNCED for delivery in self.mail.deliveries):
            self.state = state_of(self.mail.deliveries)  # of which the sender knew nothing

    def bounce(self, verdict: BounceVerdict, at: datetime) -> None:
        """Take what a report says."""
        touched = {delivery.position: delivery for delivery in verdict.touched}
        deliveries = tuple(touched.get(d.position, d) for d in self.mail.deliveries)
        self.mail, self.state = replace(self.mail, deliveries=deliveries), state_of(deliveries)
        came_back = any(delivery.state is DeliveryState.BOUNCED for delivery in verdict.touched)
        if came_back and self.state is not EnvelopeState.OPEN:
            self.finished_at = at

    def retry(self, start: FreshStart) -> None:
        """Let the recipients that failed wait again."""
        self._change_failed(lambda delivery: replace(delivery, state=DeliveryState.PENDING, attempts=0))
        clocks = {"usable_seconds": start.usable_seconds, "running_seconds": start.running_seconds}
        self.mail = replace(self.mail, envelope=replace(self.mail.envelope, due_at=start.at, **clocks))
        self.ambiguous = any(delivery.ambiguous for delivery in self.mail.pending)
        self.finished_at = None
        self.events.append(EnvelopeEvent(start.at, EnvelopeEventKind.RETRIED))

    def drop(self, at: datetime) -> None:
        """Give up the recipients that failed."""
        self._change_failed(lambda delivery: replace(delivery, state=DeliveryState.DROPPED))
        self.events.append(EnvelopeEvent(at, EnvelopeEventKind.DROPPED))

    def _change_failed(self, change: Callable[[Delivery], Delivery]) -> None:
        deliveries = tuple(change(d) if d.state in FAILED else d for d in self.mail.deliveries)
        self.mail = replace(self.mail, deliveries=deliveries)
        self.state = state_of(deliveries)
