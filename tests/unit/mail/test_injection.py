"""Fault 20: no field of an alert or a setting adds a header or a part, by both readers of the standard library."""

from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import Message
from email.policy import Policy

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity
from app.domain.attachment import Attachment
from app.domain.envelope import Letterhead, Templates
from app.mail.compose import Composer
from app.mail.dkim import DkimSigner
from tests.support.any_alert import any_alert
from tests.support.mails import any_text, queued_mail

KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
COMPOSER = Composer(mac_key=b"k" * 32, signer=DkimSigner("example.org", "s", KEY))
HEADERS = [
    "DKIM-Signature", "Date", "Message-ID", "From", "To", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Subject", "X-MailAlert-Id", "MIME-Version", "Content-Type",
]  # fmt: skip
ATTACHED = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
# What ends a line, a header, a part or a message for somebody, and what could follow.
PIECES = [
    "\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\0", " ", "\t", '"', "\\", ";", ">", "?=", "=?utf-8?q?",
    "Bcc: x@example.org", "--", "=_", "=0D=0A", "%0D%0A", ".", "*0*=", "''", "é",
]  # fmt: skip
hostile = any_text | st.lists(st.sampled_from(PIECES)).map("".join)
attachments = st.builds(
    lambda name, content_type, data: Attachment(
        name=name, content_type=content_type, size_bytes=len(data), data=data.encode(errors="replace")
    ),
    hostile,
    hostile | st.just("text/plain"),
    hostile,
)
letterheads = st.builds(
    lambda text, address, source: Letterhead(
        server_name=text,
        sender=Mailbox(f"alerts@{address}", text),
        recipients=(Mailbox("ops@example.org", text), Mailbox(address, text)),
        templates=Templates(text=source, html=source),
    ),
    hostile,
    hostile,
    st.just("{{ subject }}{{ content }}{{ notes|join }}")
    | hostile.map(lambda text: "{% raw %}" + text + "{% endraw %}"),
)
alerts = any_alert(hostile, st.datetimes(timezones=st.just(UTC)), st.none() | st.integers())


def names_of(part: Message, *, optional: tuple[str, ...] = ()) -> list[str]:
    return [name for name in part.keys() if name not in optional]  # noqa: SIM118  # it is a Message, not a dict


@pytest.mark.parametrize("reader", [policy.SMTP, policy.compat32], ids=["SMTP", "compat32"])
@given(alert=alerts, letterhead=letterheads, files=st.lists(attachments, max_size=2).map(tuple), reduced=st.booleans())
def test_no_field_adds_a_header_or_a_part(
    reader: Policy, alert: Alert, letterhead: Letterhead, files: tuple[Attachment, ...], reduced: bool
) -> None:
    """Fault 20: whatever the fields hold together, the mail has its own headers and parts, each once."""
    mail = queued_mail(replace(alert, attachments=files), letterhead=letterhead, severity=Severity.ERROR)
    mail = replace(mail, envelope=replace(mail.envelope, without_attachments=reduced))
    read = message_from_bytes(COMPOSER.render(mail), policy=reader)
    assert names_of(read, optional=("In-Reply-To", "References")) == HEADERS
    parts = [(part.get_content_type(), part.keys()) for part in read.walk()][1:]
    texts = [(kind, ["Content-Type", "Content-Transfer-Encoding"]) for kind in ("text/plain", "text/html")]
    carried = 0 if reduced else sum(file.is_whole for file in files)
    if not carried:
        assert parts == texts
    else:
        assert parts[:3] == [("multipart/alternative", ["Content-Type"]), *texts]
        assert [names for _, names in parts[3:]] == [ATTACHED] * carried
