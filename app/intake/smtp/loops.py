"""Mails that must not become alerts: each alert is a mail, and mails that answer mails would go on without end."""

from collections.abc import Callable

from app.mail.reading.message import Message
from app.mail.sorting.automatic import automatic_answer, is_report
from app.mail.sorting.marks import answered_ids, bears_an_id

MAX_RECEIVED = 100  # RFC 5321 section 6.3
OUR_MAIL = "it was sent by a Mail Alert System"
AUTOMATIC_ANSWER = "it is an automatic answer"
DELIVERY_REPORT = "it is a report about another mail"
TOO_MANY_HOPS = "it has been through too many servers"
ANSWER_TO_OURS = "it answers a mail of a Mail Alert System"


def loop_in(message: Message, *, mail_from: str, is_ours: Callable[[str], bool]) -> str:
    """Return why the mail would go round in circles, "" for one that is new.

    `is_ours` knows a Message-ID of this daemon. Relays that put their own in its place leave X-MailAlert-Id alone;
    by that the mail of another daemon is told too, for two that feed each other never end. Programs say
    `Auto-Submitted: auto-generated` (cron does): these are what alerts are made of.
    """
    if is_ours(message.message_id) or bears_an_id(message.headers):
        return OUR_MAIL
    # People who answer an alert are no alert either: it would go to them again.
    if any(map(is_ours, answered_ids(message))):
        return ANSWER_TO_OURS
    if automatic_answer(message):
        return AUTOMATIC_ANSWER
    if is_report(message, mail_from):
        return DELIVERY_REPORT
    return TOO_MANY_HOPS if message.headers.count("Received") > MAX_RECEIVED else ""
