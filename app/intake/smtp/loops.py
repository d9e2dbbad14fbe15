"""Mails that must not become alerts: each alert is a mail, and mails that answer mails would go on without end."""

import re
from collections.abc import Callable

from app.domain.ids import parse_id
from app.mail.reading.message import Message

MAX_RECEIVED = 100  # RFC 5321 section 6.3
OUR_MAIL = "it was sent by a Mail Alert System"
AUTOMATIC_ANSWER = "it is an automatic answer"
DELIVERY_REPORT = "it is a report about another mail"
TOO_MANY_HOPS = "it has been through too many servers"
ANSWER_TO_OURS = "it answers a mail of a Mail Alert System"
MAX_REFERENCES = 50  # that are looked at, the last ones: each costs two MACs
_POSTMASTERS = re.compile(r"(mailer-daemon|postmaster)(@|\Z)", re.IGNORECASE)
_REPORTS_ON_MAILS = frozenset({"delivery-status", "disposition-notification"})  # RFC 3464, RFC 8098
# Of no standard; what autoresponders older than RFC 3834 say of themselves.
_ANSWERING = ("X-Autoreply", "X-Autorespond", "X-Autoresponse")


def loop_in(message: Message, *, mail_from: str, is_ours: Callable[[str], bool]) -> str:
    """Return why the mail would go round in circles, "" for one that is new.

    `is_ours` knows a Message-ID of this daemon. Relays that put their own in its place leave X-MailAlert-Id alone;
    by that the mail of another daemon is told too, for two that feed each other never end. Programs say
    `Auto-Submitted: auto-generated` (cron does): these are what alerts are made of.
    """
    if is_ours(message.message_id) or parse_id(message.headers.raw("X-MailAlert-Id")) is not None:
        return OUR_MAIL
    # People who answer an alert are no alert either: it would go to them again.
    if any(map(is_ours, (*message.in_reply_to[-MAX_REFERENCES:], *message.references[-MAX_REFERENCES:]))):
        return ANSWER_TO_OURS
    # RFC 3834 section 5
    if message.auto_submitted == "auto-replied" or any(_says_yes(message.headers.raw(name)) for name in _ANSWERING):
        return AUTOMATIC_ANSWER
    if _is_report(message, mail_from):
        return DELIVERY_REPORT
    return TOO_MANY_HOPS if message.headers.count("Received") > MAX_RECEIVED else ""


def _says_yes(value: str) -> bool:
    return value.lower() not in {"", "no", "false", "0"}


def _is_report(message: Message, mail_from: str) -> bool:
    """Whether it tells what became of another mail.

    RFC 6522 gives such mails a type of their own, which reports on other matters have too (RFC 8460). Servers that
    know none of it, as qmail, send plain text from the null sender (RFC 5321 section 4.5.5), as from the postmaster.
    """
    if message.content_type == "multipart/report":
        kind = message.parts[0].parameters.get("report-type", "").lower()
        return not mail_from or kind in _REPORTS_ON_MAILS
    return not mail_from and message.sender is not None and bool(_POSTMASTERS.match(message.sender.address))
