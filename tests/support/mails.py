"""Queued mails to render, and mails read back by the standard library."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.alert import AcceptedAlert, Alert, Severity
from app.domain.envelope import Delivery, Envelope, Letterhead, QueuedMail
from app.mail.templates import built_in_templates

MADE_AT = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
ENVELOPE_ID = 155_313_520_841_457_664
LETTERHEAD = Letterhead(
    server_name="web1",
    sender=Mailbox("alerts@example.org"),
    recipients=(Mailbox("ops@example.org"),),
    templates=built_in_templates(),
)
# Everything that a str can hold, and often what is special in a header, a part or a page.
any_text = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("\r\n\0\t\ud800\x85\u2028 =?_.-\"'<>@,;:()\\&{}aé磁🔥")
)


def queued_mail(
    alert: Alert, *, letterhead: Letterhead = LETTERHEAD, severity: Severity | None = None, **changes: Any
) -> QueuedMail:
    """Return the alert as the sender gets it; `changes` are made to the letterhead."""
    letterhead = replace(letterhead, **changes)
    return QueuedMail(
        envelope=Envelope(
            id=ENVELOPE_ID,
            alert_id=ENVELOPE_ID - 1,
            letterhead_id=1,
            made_at=MADE_AT,
            severity=severity or alert.severity,
            due_at=MADE_AT,
        ),
        accepted=AcceptedAlert(id=ENVELOPE_ID - 1, received_at=MADE_AT, alert=alert),
        letterhead=letterhead,
        deliveries=tuple(Delivery(position) for position in range(len(letterhead.recipients))),
    )


def read_mail(octets: bytes) -> EmailMessage:
    """Return the mail as the standard library reads it, after proof that it is sound in every part."""
    assert octets.isascii()
    lines = octets.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998
    mail = message_from_bytes(octets, policy=policy.default)
    for part in mail.walk():
        assert part.defects == []
        assert [header.defects for header in part.values()] == [()] * len(part.values())
    return mail


def part_of(mail: EmailMessage, subtype: str) -> str:
    """Return the text of the mail's `plain` or `html` part, with LF."""
    part = mail.get_body((subtype,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def names_and_addresses(octets: bytes, field: str) -> list[tuple[str, str]]:
    """Return the display names and addresses of a header field.

    By the older of the standard library's two readers: in Python 3.11 the other one leaves a space
    between two encoded-words of a name, against RFC 2047 section 6.2, and makes one of several.
    """
    value = message_from_bytes(octets, policy=policy.compat32)[field].replace("\r\n", "")
    return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([value])]
