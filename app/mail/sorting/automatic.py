"""Answers that no person wrote: autoresponders, receipts, and what else a program sends when a mail arrives."""

import re
from unicodedata import normalize

from app.domain.text import one_line
from app.mail.reading.headers import Headers
from app.mail.reading.message import Message
from app.mail.sorting.alternatives import any_of
from app.mail.sorting.vacation_words import VACATION_SUBJECTS

NULL_SENDER = "<>"
# Of no standard; what autoresponders older than RFC 3834 say of themselves.
_ANSWERING = (
    "X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Auto-Reply", "X-Autoreply-From", "X-Mail-Autoreply",
)  # fmt: skip
_RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_REPORTS_ON_MAILS = frozenset({"delivery-status", "disposition-notification"})  # RFC 3464, RFC 8098
_NOT_PERSONAL = frozenset({"auto_reply", "bulk", "junk", "list"})  # RFC 3834 section 3.1.8, and sendmail's
_LISTS = ("List-Id", "List-Unsubscribe", "List-Post")  # RFC 2919, RFC 2369
_EXCHANGE_RULE = "X-MS-Exchange-Inbox-Rules-Loop"
_ASKS_FOR_NO_ANSWER = "X-Auto-Response-Suppress"
_POSTMASTERS = re.compile(r"(mailer-daemon|postmaster)(@|\Z)", re.IGNORECASE)
MAX_SUBJECT = 200  # characters that are looked at
_VACATION = re.compile(rf"[\W_]*(?:{any_of(VACATION_SUBJECTS)})(?!\w)\s*(?P<colon>:)?")


def automatic_answer(message: Message) -> str:
    """Return by what the mail is sure to be an autoresponder's, "" for nothing.

    A program that sends mails of its own accord (`Auto-Submitted: auto-generated`, as cron does) is none.
    X-Auto-Response-Suppress alone says nothing: it asks others not to answer, and alerts bear it as well as what
    people send from Exchange.
    """
    if message.auto_submitted == "auto-replied":  # RFC 3834 section 5
        return "it says that it is an automatic answer"
    if any(_says_yes(message.headers.raw(name)) for name in _ANSWERING) or _precedence(message) == "auto_reply":
        return "it says that an autoresponder sent it"
    subject = _vacation_subject(message)
    if subject is not None and subject["colon"] and _is_of_a_program(message):
        return "its subject is that of an automatic answer"
    return ""


def sign_of_a_program(message: Message) -> str:
    """Return by what the mail cannot be a person's answer, "" for nothing.

    These are signs of monitoring programs too: they count only for a mail that answers one of ours.
    """
    if message.auto_submitted not in {"", "no"}:
        return "it says that a program sent it"
    if _precedence(message) in _NOT_PERSONAL or any(message.headers.count(name) for name in _LISTS):
        return "it came over a mailing list, or to many"
    if message.headers.count(_EXCHANGE_RULE):
        return "a rule of Exchange sent it"
    if return_path(message.headers) == "":  # RFC 5321 section 4.5.5: so that nobody answers
        return "it came from the null sender"
    return "its subject is that of an automatic answer" if _vacation_subject(message) else ""


def is_receipt(message: Message) -> bool:
    """Tell whether it says what became of a mail that has arrived (RFC 8098), as that it was read."""
    return any(part.content_type in _RECEIPTS for part in message.parts)


def is_report(message: Message, mail_from: str) -> bool:
    """Tell whether it says what became of another mail; `mail_from` is "" for the null sender.

    RFC 6522 gives such mails a type of their own, which reports on other matters have too (RFC 8460). Servers that
    know none of it, as qmail, send plain text from the null sender (RFC 5321 section 4.5.5), as from the postmaster.
    """
    if message.content_type == "multipart/report":
        kind = message.parts[0].parameters.get("report-type", "").lower()
        return not mail_from or kind in _REPORTS_ON_MAILS
    return not mail_from and message.sender is not None and bool(_POSTMASTERS.match(message.sender.address))


def return_path(headers: Headers) -> str | None:
    """Return the sender of the envelope as the last server wrote it down, "" for the null sender, None for nothing."""
    path = one_line(headers.raw("Return-Path"))
    if not path:
        return None
    return "" if path == NULL_SENDER else path.strip("<> ")


def _is_of_a_program(message: Message) -> bool:
    """Whether anything beside the subject speaks for a program."""
    headers = message.headers
    return (
        message.auto_submitted not in {"", "no"}
        or _precedence(message) in _NOT_PERSONAL
        or bool(headers.count(_EXCHANGE_RULE))
        or bool(headers.count(_ASKS_FOR_NO_ANSWER))
        or return_path(headers) == ""
    )


def _says_yes(value: str) -> bool:
    return value.lower() not in {"", "no", "false", "0"}


def _precedence(message: Message) -> str:
    return message.headers.raw("Precedence").lower()


def _vacation_subject(message: Message) -> re.Match[str] | None:
    return _VACATION.match(normalize("NFKC", message.subject[:MAX_SUBJECT]).casefold())
