"""What one attempt changes: a pure judgement over the outcomes of its recipients."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.backoff import AMBIGUOUS_DELAY, retry_delay
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, QueuedMail, state_of
from app.domain.outcome import Deferred, Outcome, Refused, Scope, Sent

UNCHARGED = frozenset({Scope.RELAY, Scope.CONFIGURATION})  # not the mail's fault, so not its attempt either


@dataclass(frozen=True, slots=True)
class Verdict:
    """The envelope's state and next attempt, and the recipients that the attempt touched."""

    envelope_id: int
    state: EnvelopeState
    due_at: datetime
    finished_at: datetime | None
    ambiguous: bool
    deliveries: tuple[Delivery, ...]
    without_attachments: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """When and over which relay the attempt was made, and what bounds the next one.

    `usable_seconds` is how long a relay has been usable in all; `random` is a float from 0 up to 1.
    """

    relay: str
    at: datetime
    usable_seconds: int
    lifetime: timedelta
    random: float


def judge(mail: QueuedMail, outcomes: Sequence[Outcome], attempt: Attempt) -> Verdict | None:
    """Return what the outcomes (one for each pending recipient, in order) change; None if nothing is charged."""
    charged = [
        _delivery_after(delivery, outcome, mail, attempt)
        for delivery, outcome in zip(mail.pending, outcomes, strict=True)
        if not is_uncharged(outcome)
    ]
    if not charged:
        return None
    touched = {delivery.position: delivery for delivery in charged}
    deliveries = [touched.get(delivery.position, delivery) for delivery in mail.deliveries]
    state = state_of(deliveries)
    waiting = [delivery for delivery in deliveries if delivery.state is DeliveryState.PENDING]
    return Verdict(
        envelope_id=mail.envelope.id,
        state=state,
        due_at=attempt.at + min((_wait(delivery, touched, attempt) for delivery in waiting), default=timedelta()),
        finished_at=None if state is EnvelopeState.OPEN else attempt.at,
        ambiguous=any(delivery.ambiguous for delivery in waiting),
        deliveries=tuple(charged),
    )


def is_uncharged(outcome: Outcome) -> bool:
    """Tell whether the outcome is the relay's fault alone: the mail keeps its attempts and stays due."""
    return isinstance(outcome, Deferred) and outcome.scope in UNCHARGED


def _wait(delivery: Delivery, touched: dict[int, Delivery], attempt: Attempt) -> timedelta:
    if delivery.position not in touched:
        return timedelta()  # the relay failed before it came to this recipient: again as soon as one is usable
    delay = retry_delay(delivery.attempts, attempt.random)
    return max(delay, AMBIGUOUS_DELAY) if delivery.ambiguous else delay


def _delivery_after(delivery: Delivery, outcome: Outcome, mail: QueuedMail, attempt: Attempt) -> Delivery:
    after = replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_attempt_at=attempt.at,
        relay=attempt.relay,
        reply="" if outcome.reply is None else str(outcome.reply),
    )
    match outcome:
        case Sent():
            return replace(after, state=DeliveryState.SENT, reason="")
        case Refused(reason=reason):
            return replace(after, state=DeliveryState.REFUSED, reason=reason)
        case Deferred(reason=reason, ambiguous=ambiguous):
            state = DeliveryState.EXPIRED if _has_expired(mail, attempt) else DeliveryState.PENDING
            return replace(after, state=state, reason=reason, ambiguous=delivery.ambiguous or ambiguous)


def _has_expired(mail: QueuedMail, attempt: Attempt) -> bool:
    usable = timedelta(seconds=attempt.usable_seconds - mail.envelope.usable_seconds)
    return usable >= attempt.lifetime
