"""The standard library reads sound mails well: what it builds and what it reads, our reader reads the same."""

from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity
from app.domain.attachment import Attachment
from app.domain.text import one_line, plain
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.mail.reading.reader import read_message
from tests.support.mails import ENVELOPE_ID, MADE_AT, any_text, part_of, queued_mail, read_mail

KEY = b"k" * 32
# Without what a header cannot hold, nor a text after it was read (NUL and its like, lone surrogates, odd line ends).
printable = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
lines = st.text(printable, min_size=1, max_size=120).map(str.strip)
contents = st.lists(st.text(printable, max_size=120), max_size=6).map("\n".join).map(lambda text: text + "\n")
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60)
files = st.lists(st.tuples(names, st.binary(max_size=300)), max_size=3)


@given(subject=lines, text=contents, page=st.none() | contents, attached=files)
def test_what_the_standard_library_builds(
    subject: str, text: str, page: str | None, attached: list[tuple[str, bytes]]
) -> None:
    """Subject, text, HTML and files come back as they were, byte for byte."""
    built = EmailMessage(policy=policy.SMTP)
    built["Subject"] = subject
    built.set_content(text)
    if page is not None:
        built.add_alternative(page, subtype="html")
    for name, data in attached:
        built.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    read = read_message(built.as_bytes())
    assert read.defects == ()
    assert " ".join(read.subject.split()) == " ".join(
        subject.split()
    )  # it folds at spaces, and adds one here and there
    assert read.html.removeprefix("\ufeff") == plain(page or "").removeprefix("\ufeff")
    if text.strip():
        assert read.text.removeprefix("\ufeff") == plain(text).removeprefix("\ufeff")
    assert [(file.name, file.data) for file in read.files] == [(one_line(name), data) for name, data in attached]


@given(
    alert=st.builds(Alert, subject=any_text, content=any_text, severity=st.sampled_from(Severity)),
    data=st.binary(max_size=300),
    name=any_text,
)
def test_our_own_mails(alert: Alert, data: bytes, name: str) -> None:
    """Reader and standard library agree on what the composer writes, whatever the alert holds."""
    attachment = Attachment(name=name, content_type="text/plain", size_bytes=len(data), data=data)
    octets = Composer(mac_key=KEY).render(queued_mail(alert_with(alert, attachment)))
    read, oracle = read_message(octets), read_mail(octets)
    assert read.defects == ()
    assert (read.text, read.html) == (part_of(oracle, "plain"), part_of(oracle, "html"))
    assert [file.data for file in read.files] == [data]
    assert MessageIds(KEY).verify(read.message_id) == ENVELOPE_ID
    assert (read.date, read.auto_submitted) == (MADE_AT.replace(microsecond=0), "auto-generated")


def alert_with(alert: Alert, attachment: Attachment) -> Alert:
    return Alert(subject=alert.subject, content=alert.content, severity=alert.severity, attachments=(attachment,))


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "gb2312", "big5", "koi8-r", "euc-kr", "iso-2022-jp"])
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_charsets(charset: str, subtype: str) -> None:
    """A text in any charset is read as the standard library reads it."""
    text = {"iso-8859-1": "Größe", "koi8-r": "диск", "euc-kr": "디스크"}.get(charset, "中文")
    mail = MIMEText(text, subtype, charset)
    mail["Subject"] = text
    read = read_message(mail.as_bytes())
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert read.text.strip() == payload.decode(charset) == text
    assert (read.subject, read.defects) == (text, ())


@given(tree=st.recursive(contents, lambda children: st.lists(children, min_size=1, max_size=3), max_leaves=12))
def test_any_nesting(tree: Any) -> None:
    """Every text of a tree of multiparts is found, in its order."""
    root = MIMEMultipart("mixed")
    for part in _parts(tree):
        root.attach(part)
    read = read_message(root.as_bytes())
    oracle = [plain(part.get_payload(decode=True).decode()) for part in root.walk() if not part.is_multipart()]
    found = [plain(part.data.decode()) for part in read.parts if not part.is_multipart]
    assert found == oracle
    assert read.defects == ()


def _parts(tree: Any) -> list[Any]:
    if isinstance(tree, str):
        return [MIMEText(tree, "plain", "utf-8")]
    inner = MIMEMultipart("mixed")
    for child in tree:
        for part in _parts(child):
            inner.attach(part)
    return [inner]


@given(
    name=st.text(st.characters(exclude_categories=("C", "Z")), max_size=40),
    moment=st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1970 <= at.year < 9999),
)
def test_people_and_times(name: str, moment: datetime) -> None:
    """A sender and a date come back as they were written."""
    read = read_message(
        b"From: %b\r\nDate: %b\r\n\r\n"
        % (_mailbox(name).encode(), format_datetime(moment + timedelta(hours=8)).encode())
    )
    assert read.sender == Mailbox("ops@example.org", name)
    assert read.date == (moment + timedelta(hours=8)).replace(microsecond=0)


def _mailbox(name: str) -> str:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <ops@example.org>'
