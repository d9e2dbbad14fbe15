"""The composer: a queued mail becomes the octets that are sent, the same ones at every attempt."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity, Status
from app.domain.attachment import Attachment
from app.domain.envelope import Letterhead, QueuedMail
from app.mail.answering import answering
from app.mail.headers import address_list, automatic, date, unstructured
from app.mail.message_id import OWN_ID, MessageIds, safe_domain
from app.mail.serialise import serialise
from app.mail.templates import Renderer, built_in_templates, html_environment, text_environment
from app.mail.view import view_of

MAX_STATIONERY = 64  # letterheads in use at once: one, and older ones while their mails wait
# Mail readers know one or the other. Importance is of RFC 2156, X-Priority of no standard.
_URGENT = "X-Priority: 1\r\nImportance: high\r\n"
_NOT_IN_LIST_ID = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class _Stationery:
    """What all mails of one letterhead share, written once."""

    letterhead: Letterhead
    domain: str
    addressed: str
    filed: str


class Signer(Protocol):
    """What vouches for a mail on its way out: DkimSigner."""

    def sign(self, message: bytes, *, at: datetime) -> bytes:
        """Return the message with its signature in front, the same one for the same message and time."""


class Composer:
    """Renders mails. What comes out depends on the queued mail and the keys alone."""

    def __init__(self, *, mac_key: bytes, signer: Signer | None = None) -> None:
        built_in = built_in_templates()
        self._message_ids = MessageIds(mac_key)
        self._signer = signer
        self._text = Renderer(text_environment(), built_in=built_in.text)
        self._html = Renderer(html_environment(), built_in=built_in.html)
        self._stationery: dict[int, _Stationery] = {}

    def render(self, mail: QueuedMail) -> bytes:
        """Return the mail as RFC 5322 octets with CRLF. No content of an alert makes it raise.

        Attachments that go with it must have their data: one that is not whole is left out, and the text says so.
        Safe to call from several threads.
        """
        token = self._message_ids.envelope_token(mail.envelope)
        templates = mail.letterhead.templates
        view = view_of(mail)
        octets = serialise(
            headers=self._headers(mail, token),
            token=token,  # no alert can know it, so none can end its part of the mail and begin another
            text=self._text.render(templates.text, view),
            html=self._html.render(templates.html, view),
            attachments=_files(mail),
        )
        return octets if self._signer is None else self._signer.sign(octets, at=mail.envelope.made_at)

    def envelope_id(self, mail: QueuedMail) -> str:
        """Return the ENVID of RFC 3461 section 4.4 by which a report of the relay names this mail.

        It is the Message-ID as far as the @: 34 characters, none of which xtext would encode.
        """
        return self._message_ids.envelope_token(mail.envelope)

    def return_path(self, mail: QueuedMail, position: int) -> str:
        """Return the sender of the envelope: where a bounce goes that is about the recipient at `position`."""
        letterhead = mail.letterhead
        if not letterhead.verp:
            return letterhead.sender.address
        return self._message_ids.sub_address(mail.envelope, letterhead.verp, position=position)

    def _headers(self, mail: QueuedMail, token: str) -> str:
        envelope, alert = mail.envelope, mail.accepted.alert
        stationery = self._stationery_of(envelope.letterhead_id, mail.letterhead)
        return (
            f"Date: {date(envelope.made_at)}\r\n"
            f"Message-ID: <{token}@{stationery.domain}>\r\n"
            f"{stationery.addressed}"
            f"{self._answers_to(mail)}"
            f"{stationery.filed}"
            f"{automatic(is_answer=alert.answers is not None)}"
            f"{unstructured('Subject', _subject(mail.letterhead.server_name, alert))}"
            f"{self._thread(alert, stationery.domain)}"
            f"{_URGENT if envelope.severity is Severity.CRITICAL else ''}"
            f"{OWN_ID}: {token}\r\n"  # proves returned headers ours, where a relay put another Message-ID
        )

    def _stationery_of(self, letterhead_id: int, letterhead: Letterhead) -> _Stationery:
        known = self._stationery.get(letterhead_id)
        if known is None or known.letterhead != letterhead:
            if len(self._stationery) >= MAX_STATIONERY:
                self._stationery.clear()
            known = self._stationery[letterhead_id] = _print_stationery(letterhead)
        return known

    def _answers_to(self, mail: QueuedMail) -> str:
        """Return the Reply-To by which an answer tells what it is about, whatever a mail program does to References."""
        own, address = mail.letterhead.reply_to, mail.letterhead.reply_address
        if own is not None or address is None:
            return ""
        sub_address = self._message_ids.sub_address(mail.envelope, address.address)
        return address_list("Reply-To", [Mailbox(sub_address, address.name)])

    def _thread(self, alert: Alert, domain: str) -> str:
        """Return the headers that put all mails about the same trouble into one thread of the reader."""
        if alert.answers is not None:
            return answering(alert.answers)
        if not alert.key and not alert.labels:
            return ""
        identity = alert.key or "\n".join(map("=".join, sorted(alert.labels.items())))
        root = self._message_ids.thread_root(identity, domain)
        return f"In-Reply-To: {root}\r\nReferences: {root}\r\n"  # RFC 5322 section 3.6.4


def _files(mail: QueuedMail) -> list[Attachment]:
    if mail.envelope.without_attachments:
        return []
    return [file for file in mail.accepted.alert.attachments if file.is_whole]  # half a file is worse than none


def _subject(server_name: str, alert: Alert) -> str:
    resolved = "Resolved: " if alert.status is Status.RESOLVED else ""
    return f"[{server_name}] {resolved}{alert.subject}"


def _print_stationery(letterhead: Letterhead) -> _Stationery:
    domain = safe_domain(letterhead.sender.domain)
    return _Stationery(
        letterhead,
        domain,
        addressed=f"{address_list('From', [letterhead.sender])}{_addressed(letterhead)}",
        filed=f"List-Id: <{_list_id(letterhead.receiver, domain)}>\r\n",
    )


def _addressed(letterhead: Letterhead) -> str:
    """Return the headers that say whom the mail is for. There is none for a blind copy (RFC 5322 section 3.6.3)."""
    # RFC 5322 section 3.4: a group without members. Some filters take a mail without To for spam.
    to = address_list("To", letterhead.to) if letterhead.to else "To: undisclosed-recipients:;\r\n"
    cc = address_list("Cc", letterhead.cc) if letterhead.cc else ""
    reply_to = address_list("Reply-To", [letterhead.reply_to]) if letterhead.reply_to else ""
    return to + cc + reply_to


def _list_id(receiver: str, domain: str) -> str:
    """Return what readers file mails by, another one for each receiver (RFC 2919 section 3)."""
    labels = (receiver, "alerts", domain.strip("[]"))
    return ".".join(_NOT_IN_LIST_ID.sub("-", label) for label in labels if label)
