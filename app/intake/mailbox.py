"""The mailbox as a door: a mail that is nothing else becomes an alert, by the rules of the SMTP intake."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from app.domain.address import folded
from app.domain.alert import Alert
from app.domain.feedback import Feedback
from app.domain.mail_read import MailRead
from app.domain.per_hour import PerHour
from app.domain.ports import Clock
from app.intake.handing_over import hand_over
from app.intake.incoming import Reading
from app.intake.smtp.alert import alert_of
from app.intake.smtp.loops import loop_in
from app.intake.smtp.recipients import read_recipients
from app.mail.reading.message import Message
from app.mail.sorting.automatic import return_path, sign_of_a_program
from app.mail.sorting.marks import ADDRESSED_BY
from app.pipeline.ingest import Taker

log = structlog.get_logger()

# A ticket system that gets alerts answers each with a mail that names none of ours: an alert of that would go to it.
BY_A_PROGRAM = "a program sent it for somebody who gets alerts, so an alert would go round in circles"
TOO_MANY = "somebody who gets alerts has sent too many within the hour, so they may go round in circles"
MOST_OF_A_RECIPIENT = 10  # per hour: who gets alerts seldom sends any


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxRules:
    """What the door knows: the names that a recipient may choose, and the addresses of all who get alerts.

    `is_ours` knows the Message-IDs that this daemon makes.
    """

    receivers: Iterable[str]
    people: Iterable[str]
    attachments_limit: int
    is_ours: Callable[[str], bool]


class MailboxDoor:
    """Takes mails of the mailbox. Each is on record as read in the same transaction, so none is taken twice."""

    def __init__(self, take: Taker, *, rules: MailboxRules, clock: Clock) -> None:
        self._take = take
        self._rules = rules
        self._receivers = {name.lower(): name for name in rules.receivers}
        self._people = frozenset(map(folded, rules.people))
        self._of_recipients = PerHour(MOST_OF_A_RECIPIENT, clock=clock)

    def alert_of(self, message: Message) -> Alert | str:
        """Return the alert, or why there must be none."""
        sender = _mail_from(message)
        reason = loop_in(message, mail_from=sender, is_ours=self._rules.is_ours) or self._circle_in(message, sender)
        if reason:
            return reason
        recipients = _recipients(message)
        return alert_of(
            message,
            read_recipients(recipients, self._receivers),
            recipients=recipients,
            sender=sender,
            attachments_limit=self._rules.attachments_limit,
        )

    async def take(self, alert: Alert, read: MailRead) -> str:
        """Take the alert and the record that its mail was read; return its id. Raises JournalUnavailable."""
        feedback = Feedback(reads=(read,))
        _, names = await hand_over(self._take, Reading((alert,)), (), log, door="mailbox", feedback=feedback)
        return names[0]

    def _circle_in(self, message: Message, mail_from: str) -> str:
        """Return why the mail may be an answer that does not say so, "" if it is none."""
        senders = {folded(mail_from), folded(message.sender.address if message.sender else "")}
        who_gets_alerts = next(iter(senders & self._people), None)
        if who_gets_alerts is None:
            return ""
        if sign_of_a_program(message):
            return BY_A_PROGRAM
        return "" if self._of_recipients.allows(who_gets_alerts) else TOO_MANY


def _mail_from(message: Message) -> str:
    """Return who sent it, "" for the null sender of reports, as the server wrote it down (RFC 5321 section 4.4)."""
    path = return_path(message.headers)
    if path is not None:
        return path
    return message.sender.address if message.sender else ""


def _recipients(message: Message) -> list[str]:
    """Return the addresses that the mail came to, each once, the way it came by first."""
    found = [mailbox.address for name in ADDRESSED_BY for mailbox in message.headers.mailboxes(name)]
    return list(dict.fromkeys(found))
