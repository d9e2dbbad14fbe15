"""Mails of the mailbox as their tests make them: one of ours, answers to it, and reports on it."""

from dataclasses import replace
from pathlib import Path

from app.domain.alert import Alert
from app.mail.message_id import MessageIds
from app.mail.reading.reader import read_message
from app.mail.sorting.sorted_mail import SortedMail
from app.mail.sorting.sorter import MailSorter
from tests.support.mails import ENVELOPE_ID, queued_mail

KEY = b"the key of these tests"
IDS = MessageIds(KEY)
ENVELOPE = queued_mail(Alert(subject="disk full")).envelope
TOKEN = IDS.envelope_token(ENVELOPE)
OTHER_TOKEN = IDS.envelope_token(replace(ENVELOPE, id=ENVELOPE_ID + 1))
FORGED = MessageIds(b"another key").envelope_token(ENVELOPE)
SAMPLES = Path(__file__).parents[1] / "mail-samples"
SAMPLE_ID = b"<019ab0c2.a1@alerts.example.com>"  # what the samples answer; it is nobody's
OURS = ENVELOPE_ID


def sort(data: bytes | str) -> SortedMail:
    """Return what the mail is."""
    octets = data.encode() if isinstance(data, str) else data
    return MailSorter(IDS).sort(read_message(octets), octets)


def answer(body: str, *, headers: str = "", to: str = f"<{TOKEN}@example.org>", kind: str = "plain") -> str:
    """Return a person's answer to the mail `to`; `headers` with their line ends."""
    return (
        "From: Dana <dana@example.com>\nTo: alerts@example.org\nSubject: Re: [web1] disk full\n"
        f"In-Reply-To: {to}\n{headers}"
        f"Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}"
    )


def bounce(name: str, *, token: str = TOKEN) -> bytes:
    """Return the report of that name among the samples, on the mail that the token names."""
    return (SAMPLES / "bounces" / f"{name}.eml").read_bytes().replace(b"{token}", token.encode())
