"""The mailbox as a door: a mail that is nothing else becomes an alert, by the rules of the SMTP intake."""

from collections.abc import Callable

import structlog

from app.domain.feedback import Feedback
from app.domain.ids import format_id
from app.domain.mail_read import MailRead
from app.intake.handing_over import hand_over
from app.intake.incoming import Reading
from app.intake.smtp.alert import alert_of
from app.intake.smtp.door import DoorRules
from app.intake.smtp.loops import loop_in
from app.intake.smtp.recipients import read_recipients
from app.mail.reading.message import Message
from app.mail.sorting.automatic import return_path
from app.mail.sorting.marks import ADDRESSED_BY
from app.pipeline.ingest import Submission, Taker

log = structlog.get_logger()


class MailboxDoor:
    """Takes mails of the mailbox. Each is on record as read in the same transaction, so none is taken twice."""

    def __init__(self, take: Taker, *, rules: DoorRules) -> None:
        self._take = take
        self._rules = rules
        self._receivers = {name.lower(): name for name in rules.receivers}

    async def take(self, message: Message, read: Callable[[str], MailRead]) -> str:
        """Take the alert, or leave a mail that must not become one; return a note. Raises JournalUnavailable."""
        reason = loop_in(message, mail_from=_mail_from(message), is_ours=self._rules.is_ours)
        if reason:
            await self._take.take(Submission(alerts=(), feedback=Feedback(reads=(read(reason),))))
            return reason
        recipients = _recipients(message)
        alert = alert_of(
            message,
            read_recipients(recipients, self._receivers),
            recipients=recipients,
            sender=_mail_from(message),
            attachments_limit=self._rules.attachments_limit,
        )
        feedback = Feedback(reads=(read("it became an alert"),))
        receipt, _ = await hand_over(self._take, Reading((alert,)), (), log, door="mailbox", feedback=feedback)
        return f"it became the alert {format_id(receipt.ids[0])}"


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
