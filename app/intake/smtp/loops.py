"""Mails that must not become alerts: each alert is a mail, and mails that answer mails would go on without end."""

from collections.abc import Callable

from app.domain.ids import parse_id
from app.mail.reading.message import Message

MAX_RECEIVED = 100  # RFC 5321 section 6.3
OUR_MAIL = "it was sent by a Mail Alert System"
AUTOMATIC_ANSWER = "it is an automatic answer"
DELIVERY_REPORT = "it is a report about another mail"
TOO_MANY_HOPS = "it has been through too many servers"


def loop_in(message: Message, *, mail_from: str, is_ours: Callable[[str], bool]) -> str:
    """Return why the mail would go round in circles, "" for one that is new.

    `is_ours` knows a Message-ID of this daemon. Relays that put their own in its place leave X-MailAlert-Id alone;
    by that the mail of another daemon is told too, for two that feed each other never end. Programs say
    `Auto-Submitted: auto-generated` (cron does): these are what alerts are made of.
    """
    headers = message.headers
    if is_ours(message.message_id) or parse_id(headers.raw("X-MailAlert-Id")) is not None:
        return OUR_MAIL
    if message.auto_submitted.partition("(")[0].strip() == "auto-replied":  # RFC 3834 section 5: comments may follow
        return AUTOMATIC_ANSWER
    # RFC 3464 section 2: a report goes out from the null sender, and nothing may answer it.
    if not mail_from and message.content_type == "multipart/report":
        return DELIVERY_REPORT
    return TOO_MANY_HOPS if headers.count("Received") > MAX_RECEIVED else ""
