"""The envelope: one mail to one list of recipients, with all that its bytes depend on frozen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from app.domain.address import Mailbox
from app.domain.alert import AcceptedAlert, Severity


@dataclass(frozen=True, slots=True)
class Templates:
    """The sources of the templates that a mail is rendered with (Jinja2)."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the settings put into every mail, frozen when the envelope is made.

    Stored once and shared by all envelopes made under the same settings: changed settings
    or templates hold for new envelopes only, so that every attempt sends identical bytes.
    `is_alarm`: mails under it are alarms of the system itself, whose failure raises no further alarm.
    `recipients` is everybody in the order to, cc, bcc; the last of them are `bcc_count` that the others do not
    see, and before those `cc_count` copies. `receiver` is the name that they share, "" for the default receiver and
    for people whom an alert names itself. Without any recipient it stands for alerts that nobody is told of.
    Where the mailbox is read: `reply_address` is the one whose sub-addresses people answer to, unless the receiver has
    a `reply_to` of its own; `verp` the one whose sub-addresses are the sender of the envelope, another one for each
    recipient, "" for `sender` itself; with `takes_answers` the mail says that an answer acknowledges the alert.
    """

    server_name: str
    sender: Mailbox
    recipients: tuple[Mailbox, ...]
    templates: Templates
    is_alarm: bool = False
    cc_count: int = 0
    bcc_count: int = 0
    reply_to: Mailbox | None = None
    receiver: str = ""
    reply_address: Mailbox | None = None
    verp: str = ""
    takes_answers: bool = False

    @property
    def to(self) -> tuple[Mailbox, ...]:
        """Those to whom the mail is addressed."""
        return self.recipients[: len(self.recipients) - self.cc_count - self.bcc_count]

    @property
    def cc(self) -> tuple[Mailbox, ...]:
        """Those who get a copy, and everybody sees it."""
        end = len(self.recipients) - self.bcc_count
        return self.recipients[end - self.cc_count : end]


class EnvelopeState(IntEnum):
    """Where the envelope stands as a whole. The numbers are stored in the journal."""

    OPEN = 0  # some recipient still waits
    SENT = 1
    PARTLY_SENT = 2
    FAILED = 3
    DROPPED = 4  # by a person, as far as it had failed
    KEPT = 5  # the alert is on record, and nobody is told: no receiver wants it, or it was a sign of life


# Finished, and some recipient will not get it unless somebody has it sent again: a dead letter.
DEAD = frozenset({EnvelopeState.PARTLY_SENT, EnvelopeState.FAILED})


class DeliveryState(StrEnum):
    """Where one recipient of an envelope stands."""

    PENDING = "pending"
    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"
    DROPPED = "dropped"
    BOUNCED = "bounced"  # the relay took it, and a server behind it gave it back
    DELAYED = "delayed"  # the relay took it, and a server behind it says that it waits there


# A recipient who will not get the mail unless somebody has it sent again.
FAILED = frozenset({DeliveryState.REFUSED, DeliveryState.EXPIRED, DeliveryState.BOUNCED})
# The relay took it, and nobody has said that it was lost behind the relay.
HANDED_OVER = frozenset({DeliveryState.SENT, DeliveryState.DELAYED})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient of an envelope, and what the relay last said about it.

    `position` counts the recipients of the letterhead from 0. `ambiguous` stays set once an attempt was
    lost after its final dot: this recipient may have the mail twice. `remote` is the server behind the relay whose
    words `reply` and `reason` are, "" where they are the relay's.
    """

    position: int
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_attempt_at: datetime | None = None
    relay: str = ""
    reply: str = ""
    reason: str = ""
    ambiguous: bool = False
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail on its way: when it was made, for which alert, under which letterhead.

    `usable_seconds` is how long a relay had been usable, in all runs together, when it was made: a mail's
    lifetime counts only such time. `running_seconds` is how long the daemon had been running: the bound of
    all lifetimes counts that, for wall time can jump. `without_attachments`: they were too large for a relay,
    so the mail goes without them from now on, as a new message. One that is KEPT is finished when it is made.
    """

    id: int
    alert_id: int
    letterhead_id: int
    made_at: datetime
    severity: Severity
    due_at: datetime
    usable_seconds: int = 0
    running_seconds: int = 0
    without_attachments: bool = False
    state: EnvelopeState = EnvelopeState.OPEN


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """All that the sender needs of one envelope: what to render, and who has not had it yet."""

    envelope: Envelope
    accepted: AcceptedAlert
    letterhead: Letterhead
    deliveries: tuple[Delivery, ...]

    @property
    def carries_attachments(self) -> bool:
        """Whether files go out with it."""
        return bool(self.accepted.alert.attachments) and not self.envelope.without_attachments

    def with_attachments(self, contents: Mapping[int, bytes]) -> "QueuedMail":
        """Return the mail with the data of its attachments, given by their number from 0; one without stays empty."""
        alert = self.accepted.alert
        attachments = tuple(
            replace(attachment, data=contents.get(number, b"")) for number, attachment in enumerate(alert.attachments)
        )
        return replace(self, accepted=replace(self.accepted, alert=replace(alert, attachments=attachments)))

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """The recipients that still wait."""
        return tuple(d for d in self.deliveries if d.state is DeliveryState.PENDING)


def state_of_all(states: Collection[EnvelopeState]) -> EnvelopeState:
    """Return the state of an alert as its envelopes make it, by the rule of `state_of`; OPEN without any."""
    if not states or EnvelopeState.OPEN in states:
        return EnvelopeState.OPEN
    if not DEAD.isdisjoint(states):
        got_somewhere = {EnvelopeState.SENT, EnvelopeState.PARTLY_SENT}
        return EnvelopeState.FAILED if got_somewhere.isdisjoint(states) else EnvelopeState.PARTLY_SENT
    order = (EnvelopeState.DROPPED, EnvelopeState.SENT, EnvelopeState.KEPT)
    return next(state for state in order if state in states)


def state_of(deliveries: Sequence[Delivery]) -> EnvelopeState:
    """Return the state of an envelope as its recipients make it."""
    states = {delivery.state for delivery in deliveries}
    if DeliveryState.PENDING in states:
        return EnvelopeState.OPEN
    if states & FAILED:
        return EnvelopeState.FAILED if HANDED_OVER.isdisjoint(states) else EnvelopeState.PARTLY_SENT
    return EnvelopeState.DROPPED if DeliveryState.DROPPED in states else EnvelopeState.SENT
