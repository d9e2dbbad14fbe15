"""Acknowledgements: taken by every door, kept in the journal, and at hand in memory where alarms ask for them."""

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.access import AllowedRecipients
from app.domain.ack_rules import counts_from, may_acknowledge
from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.address import Mailbox
from app.domain.answered import Answered
from app.domain.envelope import QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.feedback import Feedback
from app.domain.ids import format_id
from app.domain.mail_read import MailRead
from app.domain.per_hour import PerHour
from app.domain.ports import AckStore, Clock
from app.domain.report import AlertReport
from app.pipeline.confirmation import MOST_PER_HOUR, confirmation_of
from app.pipeline.ingest import Submission, Taker

log = structlog.get_logger()

MAX_IN_MEMORY = 100_000  # about 20 MB; beyond it the oldest ones silence no alarm any more


class AnswerStore(AckStore, Protocol):
    """What is asked of the journal here."""

    async def mail(self, envelope_id: int) -> QueuedMail | None:
        """Return the mail, whatever its state, None if it is not (or no longer) known."""

    async def find(self, alert_id: int) -> AlertReport | None:
        """Return the alert, None if it is not (or no longer) known."""


class Answer(Protocol):
    """A person's answer to an alert, as a mail brought it."""

    @property
    def sender(self) -> Mailbox | None: ...
    @property
    def date(self) -> datetime | None: ...
    @property
    def message_id(self) -> str: ...
    @property
    def references(self) -> tuple[str, ...]: ...


class Acknowledgements:
    """The one place where alerts are acknowledged. An acknowledgement replaces the one before."""

    def __init__(
        self,
        *,
        store: AnswerStore,
        take: Taker,
        clock: Clock,
        ack_from: AllowedRecipients | None = None,
        confirms: bool = True,
    ) -> None:
        """`take` is the ingest, by which confirmations leave. `ack_from` is as `may_acknowledge` has it."""
        self._store = store
        self._take = take
        self._clock = clock
        self._ack_from = ack_from
        self._limit = PerHour(MOST_PER_HOUR, clock=clock) if confirms else None
        self._standing: dict[int, datetime | None] = {}

    async def load(self) -> None:
        """Take over what stands in the journal."""
        self._standing = dict(await self._store.acknowledged(self._clock.now()))
        self._bound()

    def holds(self, alert_id: int) -> bool:
        """Tell whether somebody sees to the alert just now."""
        if alert_id not in self._standing:
            return False
        until = self._standing[alert_id]
        return until is None or self._clock.now() < until

    async def acknowledge(self, alert_id: int, event: AckEvent) -> bool:
        """Record the event; False if the alert is not (or no longer) known. Raises JournalUnavailable.

        Who names a confirmation means the alert that it is about.
        """
        report = await self._store.find(alert_id)
        if report is None:
            return False
        about = report.accepted.alert.answers
        alert_id = about.alert_id if about is not None else alert_id
        known = await self._store.acknowledge(alert_id, event)
        if known:
            self._note(alert_id, event)
        return known

    async def take_answer(
        self,
        answer: Answer,
        *,
        envelope_id: int,
        action: AckAction,
        lasts: timedelta | None,
        read: MailRead,
    ) -> str:
        """Record what a person's mail says, that it was read, and the confirmation to send: all or nothing.

        Return "", or why nothing was done and nothing recorded. Raises JournalUnavailable.
        """
        mail, sender = await self._store.mail(envelope_id), answer.sender
        if mail is None or sender is None:
            return "the alert is not known any more" if mail is None else "nobody sent it"
        if not may_acknowledge(sender, mail.letterhead.recipients, self._ack_from):
            log.warning("acknowledgement_refused", sender=sender.address, alert=format_id(mail.envelope.alert_id))
            return "the sender may not acknowledge (mailbox.ack_from)"
        about = mail.accepted.alert.answers
        alert_id = about.alert_id if about is not None else mail.envelope.alert_id
        if await self._store.find(alert_id) is None:
            return "the alert is not known any more"
        now = self._clock.now()
        until = None if lasts is None else counts_from(answer.date, now) + lasts
        event = AckEvent(
            at=now, action=action, who=sender.address, how=AckDoor.REPLY, until=until, source=answer.message_id
        )
        await self._take_event(alert_id, event, answer=answer, mail=mail, read=read)
        return ""

    async def _take_event(
        self, alert_id: int, event: AckEvent, *, answer: Answer, mail: QueuedMail, read: MailRead
    ) -> None:
        answered = Answered(answer.message_id, answer.references, alert_id)
        confirms = self._limit is not None and self._limit.allows(event.who)
        confirmations = confirmation_of(event, mail, answered) if confirms else ()
        feedback = Feedback(reads=(read,), acknowledgements=((alert_id, event),))
        try:
            await self._take.take(Submission(alerts=confirmations, feedback=feedback))
        except JournalUnavailable:
            if not confirmations:
                raise
            # The backlog may have no room for one more mail; the word of a person needs none.
            await self._take.take(Submission(alerts=(), feedback=feedback))
        self._standing = dict(await self._store.acknowledged(self._clock.now()))  # a mail found again changes nothing
        self._log(alert_id, event)

    def _note(self, alert_id: int, event: AckEvent) -> None:
        self._standing.pop(alert_id, None)
        if event.action is AckAction.ACKNOWLEDGED:
            self._standing[alert_id] = event.until
            self._bound()
        self._log(alert_id, event)

    def _log(self, alert_id: int, event: AckEvent) -> None:
        log.info(
            "alert_acknowledged" if event.action is AckAction.ACKNOWLEDGED else "acknowledgement_taken_back",
            alert=format_id(alert_id),
            who=event.who,
            how=event.how,
            until=event.until and event.until.isoformat(timespec="seconds"),
        )

    def _bound(self) -> None:
        while len(self._standing) > MAX_IN_MEMORY:
            self._standing.pop(next(iter(self._standing)))
