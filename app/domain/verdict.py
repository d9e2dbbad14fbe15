"""What one attempt changes: a pure judgement over the outcomes of its recipients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.backoff import AMBIGUOUS_DELAY, retry_delay, shortest_retry_delay
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, QueuedMail, state_of
from app.domain.outcome import Deferred, Outcome, Refused, Scope, Sent

UNCHARGED = frozenset({Scope.RELAY, Scope.CONFIGURATION})  # not the mail's fault, so not its attempt either
# RFC 5321 section 4.5.4.1 gives up after 4 to 5 days; a relay that is dead over a long weekend expires nothing.
LONGEST_LIFE = timedelta(days=7)
NO_RELAY = f"no relay could take the mail for {LONGEST_LIFE.days} days"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The envelope's state and next attempt, and the recipients that the attempt touched.

    `without_attachments`: they were too large, and the mail goes without them from now on.
    """

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

    `usable_seconds` and `running_seconds` count as in Envelope; `random` is a float from 0 up to 1.
    """

    relay: str
    at: datetime
    usable_seconds: int
    running_seconds: int
    lifetime: timedelta
    random: float


def recipients_to_try(mail: QueuedMail, now: datetime) -> tuple[Delivery, ...]:
    """Return the recipients whose own wait is over; all that wait if the mail was handed out ahead of its time."""
    due = tuple(delivery for delivery in mail.pending if _is_due(delivery, now))
    return due or mail.pending


def _is_due(delivery: Delivery, now: datetime) -> bool:
    if not delivery.attempts or delivery.last_attempt_at is None:
        return True
    delay = shortest_retry_delay(delivery.attempts)
    return delivery.last_attempt_at + (max(delay, AMBIGUOUS_DELAY) if delivery.ambiguous else delay) <= now


def judge(mail: QueuedMail, outcomes: Mapping[int, Outcome], attempt: Attempt) -> Verdict | None:
    """Return what the outcomes, by the recipient's position, change; None if nothing is charged."""
    sheds = any(_sheds_attachments(mail, outcome) for outcome in outcomes.values())
    touched = {
        position: _delivery_after(mail.deliveries[position], outcome, mail, attempt)
        for position, outcome in outcomes.items()
        if not is_uncharged(outcome)
    }
    return _verdict(mail, touched, attempt, without_attachments=sheds) if touched else None


def expire(mail: QueuedMail, attempt: Attempt) -> Verdict:
    """Return the verdict on a mail that found no usable relay within the longest life."""
    expired = {
        delivery.position: replace(delivery, state=DeliveryState.EXPIRED, reason=delivery.reason or NO_RELAY)
        for delivery in mail.pending
    }
    return _verdict(mail, expired, attempt, without_attachments=False)


def is_overdue(mail: QueuedMail, running_seconds: int) -> bool:
    """Tell whether the mail has waited for the longest life, relay or not."""
    return timedelta(seconds=running_seconds - mail.envelope.running_seconds) >= LONGEST_LIFE


def is_uncharged(outcome: Outcome) -> bool:
    """Tell whether the outcome is the relay's fault alone: the mail keeps its attempts and stays due."""
    return isinstance(outcome, Deferred) and outcome.scope in UNCHARGED


def _verdict(
    mail: QueuedMail, touched: Mapping[int, Delivery], attempt: Attempt, *, without_attachments: bool
) -> Verdict:
    deliveries = [touched.get(delivery.position, delivery) for delivery in mail.deliveries]
    state = state_of(deliveries)
    waiting = [delivery for delivery in deliveries if delivery.state is DeliveryState.PENDING]
    wait = timedelta() if without_attachments else _shortest_wait(waiting, attempt)
    return Verdict(
        envelope_id=mail.envelope.id,
        state=state,
        due_at=attempt.at + wait,
        finished_at=None if state is EnvelopeState.OPEN else attempt.at,
        ambiguous=any(delivery.ambiguous for delivery in waiting),
        deliveries=tuple(touched.values()),
        without_attachments=without_attachments or mail.envelope.without_attachments,
    )


def _shortest_wait(waiting: Sequence[Delivery], attempt: Attempt) -> timedelta:
    return max(timedelta(), min((_wait(delivery, attempt) for delivery in waiting), default=timedelta()))


def _wait(delivery: Delivery, attempt: Attempt) -> timedelta:
    """Return how long this recipient waits from now on: nothing if no attempt has come to it yet."""
    if not delivery.attempts or delivery.last_attempt_at is None:
        return timedelta()
    delay = retry_delay(delivery.attempts, attempt.random)
    if delivery.ambiguous:
        delay = max(delay, AMBIGUOUS_DELAY)
    return delivery.last_attempt_at + delay - attempt.at


def _sheds_attachments(mail: QueuedMail, outcome: Outcome) -> bool:
    """Tell whether the mail was too large, and can still be made smaller."""
    return (
        isinstance(outcome, Refused)
        and outcome.too_large
        and bool(mail.accepted.alert.attachments)
        and not mail.envelope.without_attachments
    )


def _delivery_after(delivery: Delivery, outcome: Outcome, mail: QueuedMail, attempt: Attempt) -> Delivery:
    after = replace(
        delivery,
        attempts=delivery.attempts + 1,
        last_attempt_at=attempt.at,
        relay=attempt.relay,
        reply="" if outcome.reply is None else str(outcome.reply),
        remote="",
    )
    match outcome:
        case Sent():
            return replace(after, state=DeliveryState.SENT, reason="")
        case Refused(reason=reason) if _sheds_attachments(mail, outcome):
            return replace(after, reason=f"{reason}; it is sent again without its attachments")
        case Refused(reason=reason):
            return replace(after, state=DeliveryState.REFUSED, reason=reason)
        case Deferred(reason=reason, ambiguous=ambiguous):
            state = DeliveryState.EXPIRED if _has_expired(mail, attempt) else DeliveryState.PENDING
            return replace(after, state=state, reason=reason, ambiguous=delivery.ambiguous or ambiguous)


def _has_expired(mail: QueuedMail, attempt: Attempt) -> bool:
    usable = timedelta(seconds=attempt.usable_seconds - mail.envelope.usable_seconds)
    return usable >= attempt.lifetime or is_overdue(mail, attempt.running_seconds)
