"""The ports: what the middle needs from outside, each as small as its users allow."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.acknowledgement import AckEvent
from app.domain.alert import AcceptedAlert, Severity
from app.domain.bounce import BounceEffect, BounceReport, SetAsideAddress
from app.domain.dead_letter import DeadLetterPage
from app.domain.envelope import Envelope, EnvelopeState, QueuedMail
from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.heartbeat import HeartbeatRecord
from app.domain.mail_read import MailboxName, MailRead, RemovableMail, UnreadMail
from app.domain.receipt import KeptReceipt
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

    async def accept(
        self,
        alerts: Sequence[AcceptedAlert],
        envelopes: Sequence[Envelope],
        receipts: Sequence[KeptReceipt] = (),
        heartbeats: Sequence[HeartbeatRecord] = (),
        feedback: Feedback = NO_FEEDBACK,
    ) -> None:
        """Return once all is committed and fsynced, in one transaction.

        Raises JournalUnavailable, then nothing was taken.
        """


class ReceiptStore(Protocol):
    """Where receipts are found again."""

    async def receipts(self, keys: Sequence[bytes]) -> Mapping[bytes, KeptReceipt]:
        """Return those that are kept under the keys of their claims, however old."""


class MailStore(Protocol):
    """Where the sender finds its work and leaves its outcomes."""

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Return envelopes that are due, in the order to send them."""

    def record(self, verdict: Verdict) -> Awaitable[None]:
        """Take the verdict at once; what is returned is done once it is committed and fsynced.

        It waits for as long as the journal cannot be written: an outcome that was seen is not forgotten.
        """

    def lease(self, envelope_ids: Collection[int]) -> Awaitable[None]:
        """Note that just these may be under way; done once that is durable.

        After a crash they are flagged: each may have been sent already. It waits like `record`.
        """

    async def attachments(self, alert_id: int) -> Mapping[int, bytes]:
        """Return the contents of the alert's attachments by their number, from 0; one that is lost is missing."""

    async def overdue(self, *, made_before: int, after: int, limit: int) -> list[QueuedMail]:
        """Return open envelopes with an id over `after`, in that order, made at or before these running seconds."""


@dataclass(frozen=True, slots=True)
class FreshStart:
    """When a dead letter is sent again, and from where its lifetime counts anew (see Envelope)."""

    at: datetime
    usable_seconds: int
    running_seconds: int


@dataclass(frozen=True, slots=True)
class RetryStep:
    """For how many dead letters one step did it. `after` is where the next one goes on, None at the end."""

    retried: int
    after: int | None


class DeadLetterStore(Protocol):
    """Mails that failed, and what people do to them. What is done is on the record.

    A `number` is the id of an envelope or of its alert: people see both, and no two things have the same.
    """

    async def dead_letters(self, *, before: int | None, limit: int) -> DeadLetterPage:
        """Return mails with an envelope id under `before` that failed for some recipient, newest first."""

    async def retry(self, number: int, start: FreshStart) -> bool:
        """Let the recipients that failed wait for an attempt again; False if it is no dead letter.

        Raises JournalUnavailable when the backlog has no room for it.
        """

    async def retry_some(self, limit: int, start: FreshStart, *, after: int = 0) -> RetryStep:
        """Do so for up to `limit` dead letters with an envelope id over `after`, the oldest first.

        Step by step each is retried once, also those that fail again meanwhile.
        """

    async def drop(self, number: int, at: datetime) -> bool:
        """Give up the recipients that failed; False if it is no dead letter."""


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


class MailboxStore(Protocol):
    """The record of which mails of a mailbox were read, so that each is read once."""

    async def is_known(self, mailbox: MailboxName) -> bool:
        """Tell whether this mailbox was polled before, in this epoch."""

    async def was_polled(self, name: str) -> bool:
        """Tell whether the mailbox of this name was polled before, in whatever epoch."""

    async def unread(self, mailbox: MailboxName, uids: Sequence[str]) -> Sequence[UnreadMail]:
        """Return which of these have no record yet, in the order given."""

    async def begin_poll(self, mailbox: MailboxName, seen: Sequence[MailRead]) -> None:
        """Note the first poll of the mailbox in this epoch, and what was there; what is known of others is forgotten.

        Other epochs of the same name, that is.
        """

    async def begin_reading(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Count an attempt for each, before they are read: what ends the daemon is not tried for ever."""

    async def end_attempt(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Take one attempt at each back: it came to nothing through no fault of the mail."""

    async def note_read(self, reads: Sequence[MailRead]) -> None:
        """Record that these were read."""

    async def to_remove(self, mailbox: MailboxName) -> Sequence[RemovableMail]:
        """Return what was read and is to go from the server, and may still be there; 1,000 at most."""

    async def note_gone(self, mailbox: MailboxName, uids: Sequence[str], at: datetime) -> None:
        """Note that the server lists these no longer; those that are noted already keep their time."""

    async def note_back(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Note that the server lists these again."""

    async def forget_gone(self, mailbox: MailboxName, before: datetime) -> None:
        """Forget those that were noted as gone before this time, up to 1,000 of them."""

    async def recorded(self, mailbox: MailboxName) -> Sequence[str]:
        """Return all uids that have a record."""

    async def take_bounce(
        self, report: BounceReport, read: MailRead, *, set_aside_after: int, is_final: bool
    ) -> BounceEffect | None:
        """Record what the report changes and that it was read, in one transaction; None if the mail is not known.

        An address is set aside by its hard bounce number `set_aside_after` within BOUNCE_MEMORY, each for another mail;
        0 is never. A report that changes nothing and repeats nothing is recorded to stay on the server. With
        `is_final` one that comes too early is recorded like that, else not at all (see BounceEffect).
        """


class AckStore(Protocol):
    """Where acknowledgements are kept."""

    async def acknowledge(self, alert_id: int, event: AckEvent) -> bool:
        """Add the event; False if the alert is not (or no longer) known."""

    async def acknowledged(self, now: datetime) -> Mapping[int, datetime | None]:
        """Return the alerts whose acknowledgement holds, and until when; None is without an end."""


class Acknowledger(Protocol):
    """Takes acknowledgements by whatever door."""

    async def acknowledge(self, alert_id: int, event: AckEvent) -> bool:
        """Record the event; False if the alert is not (or no longer) known. Raises JournalUnavailable."""


class SetAsideStore(Protocol):
    """Recipients whose mails bounced too often."""

    async def set_aside(self) -> Sequence[SetAsideAddress]:
        """Return them all, in the order of their addresses."""

    async def release(self, address: str) -> bool:
        """Let the address have mail again, and count its bounces anew; False if it was not set aside."""
