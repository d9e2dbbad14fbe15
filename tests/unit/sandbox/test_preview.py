"""The preview: mails of every kind become readable, and none is too broken to be shown."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.preview import Attachment, preview, read_heading

FRAGMENTS = [
    b"Subject:", b"From:", b"Content-Type:", b" text/plain", b" text/html", b" multipart/mixed", b" message/rfc822",
    b"; boundary=x", b"; charset=", b"; charset*=", b"--x", b"--x--", b"\r\n", b"\n", b"\r\n\r\n", b"=?utf-8?b?4pi6?=",
    b"=?\0?b?a?=", b"=?x?q?=ZZ?=", b"Content-Transfer-Encoding:", b" base64", b" x-uuencode", b"begin 644 a\n", b"\0",
    b"\xff\xfe", b"utf-8''%ff", b"*0*=", b"name=", b"Content-Disposition: attachment", b"; filename=", b"idna", b"hex",
    b"utf-16", b"undefined", b"a\0b", b" ", b";", b"X-Priority: 1",
]  # fmt: skip
BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\r\n.\r\n\x00\xff", id="no-headers"),
    pytest.param(b"Content-Type: text/plain; charset=a\0b\r\n\r\nx", id="nul-in-charset"),
    pytest.param(b"Content-Type: multipart/mixed; boundary*=a\0b''x\r\n\r\nx", id="nul-in-boundary"),
    pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 3000, id="nested-messages"),
    pytest.param(
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(1000)),
        id="nested-multiparts",
    ),
]


def alternative() -> EmailMessage:
    """Return a mail with text, HTML and an attachment, in scripts beyond ASCII."""
    message = EmailMessage()
    message["Subject"] = "[web1] Festplatte voll – 磁盘空间不足, and a subject so long that it has to be folded twice"
    message["From"] = "Émile <emile@example.org>"
    message["To"] = "Ops <ops@example.org>, dba@example.org"
    message["Message-ID"] = "<1@example.org>"
    message["X-Priority"] = "1 (Highest)"
    message.set_content("磁盘\n", charset="gb18030")
    message.add_alternative("<p>voll</p>", subtype="html")
    message.add_attachment(b"12345", maintype="application", subtype="gzip", filename="Übersicht.gz")
    return message


def test_a_heading_is_decoded() -> None:
    """Encoded words, folded lines and all, read as they were written."""
    message = alternative()
    heading = read_heading(bytes(message))
    assert (heading.subject, heading.sender) == (message["Subject"], message["From"])
    assert (heading.to, heading.message_id, heading.urgent) == (message["To"], "<1@example.org>", True)


def test_parts_are_told_apart() -> None:
    """Text in its charset, HTML and attachments each come out whole."""
    shown = preview(bytes(alternative()))
    assert (shown.text, shown.html) == ("磁盘\n", "<p>voll</p>\n")
    assert shown.attachments == (Attachment("Übersicht.gz", "application/gzip", 5),)


def test_an_attached_text_is_no_body() -> None:
    """A log attached to an HTML mail is not taken for the mail's text."""
    message = EmailMessage()
    message.set_content("<p>x</p>", subtype="html")
    message.add_attachment("log", filename="a.log")
    shown = preview(bytes(message))
    assert (shown.text, [part.name for part in shown.attachments]) == (None, ["a.log"])


def test_headers_keep_their_order_and_repeats() -> None:
    """What a relay added twice is seen twice."""
    shown = preview(b"Received: b\r\nReceived: a\r\nSubject: x\r\n folded\r\n\r\n")
    assert shown.headers == (("Received", "b"), ("Received", "a"), ("Subject", "x folded"))


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        pytest.param("Größe ☺".encode(), "Größe ☺", id="raw-utf8"),
        pytest.param(b"caf\xe9", "caf\ufffd", id="raw-latin-1"),
        pytest.param(b"=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c", id="adjacent-words"),
        pytest.param(b"=?gb18030?b?tMXFzA==?=", "磁盘", id="gb18030"),
        pytest.param(b"=?unknown?q?a=62?=", "=?unknown?q?a=62?=", id="unknown-charset"),
        pytest.param(b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x", id="encoded-line-end"),
    ],
)
def test_subjects_of_every_kind_are_shown(raw: bytes, subject: str) -> None:
    """What can be decoded is, what cannot is shown as it stands, always in one line."""
    assert read_heading(b"Subject: " + raw + b"\r\n\r\n").subject == subject


def test_an_unknown_charset_is_read_as_utf8() -> None:
    """The text stays readable."""
    shown = preview("Content-Type: text/plain; charset=x-nobody\r\n\r\nGröße".encode())
    assert shown.text == "Größe"


@pytest.mark.parametrize("data", BROKEN)
def test_a_broken_mail_is_shown_by_its_source(data: bytes) -> None:
    """A mail that the parser trips over is still there to look at."""
    assert len(preview(data).source) == len(data.replace(b"\r\n", b"\n"))
    read_heading(data)


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=30).map(b"".join))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    """Any mail gives text that a page can hold: no lone surrogates, one line for each header."""
    shown, heading = preview(data), read_heading(data)
    texts = [shown.text or "", shown.html or "", shown.source, heading.subject, *sum(shown.headers, ())]
    texts += [part.name + part.media_type for part in shown.attachments]
    "".join(texts).encode()
    assert "\n" not in heading.subject
