"""Mails as people's machines send them, and the alerts that they become."""

from email.message import EmailMessage

import pytest

from app.domain.alert import Alert, Severity
from app.intake.smtp.alert import MAX_DEFECTS, alert_of
from app.intake.smtp.recipients import Addressing
from app.mail.reading.reader import read_message

MIB = 1 << 20
CRON = """From: root@db1.example.org (Cron Daemon)
To: root@db1.example.org
Subject: Cron <root@db1> /usr/local/bin/backup
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
Auto-Submitted: auto-generated
X-Cron-Env: <SHELL=/bin/sh>

tar: /srv: Größe geändert
""".encode()


def alert(data: bytes, addressing: Addressing | None = None, *, limit: int = MIB) -> Alert:
    return alert_of(
        read_message(data),
        addressing or Addressing(),
        recipients=["root@db1.example.org"],
        sender="192.0.2.7",
        attachments_limit=limit,
    )


def with_files(*sizes: int) -> bytes:
    message = EmailMessage()
    message["Subject"] = "scan"
    message.set_content("see the files")
    for number, size in enumerate(sizes):
        message.add_attachment(bytes(size), maintype="image", subtype="tiff", filename=f"page-{number}.tiff")
    return message.as_bytes()


def test_what_recipients_say_is_in_the_alert() -> None:
    """Its receivers, and that the routes decide besides."""
    made = alert(CRON, Addressing(("dba",), also_routed=True))
    assert (made.receivers, made.also_routed) == (("dba",), True)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_a_mail_of_cron_becomes_an_alert(line_end: bytes) -> None:
    """Subject, text and sender are where people look for them, also where the program sends bare line feeds."""
    made = alert(CRON.replace(b"\n", line_end))
    assert made.subject == "Cron <root@db1> /usr/local/bin/backup"
    assert made.content.strip() == "tar: /srv: Größe geändert"
    assert (made.source, made.severity, made.notes) == ("root@db1.example.org", Severity.WARNING, ())
    assert made.extra == {"to": "root@db1.example.org"}


def test_a_mail_without_a_header_is_all_text() -> None:
    """A device that sends nothing but words is understood: its first line is the subject, its address the source."""
    made = alert(b"\r\npaper jam in tray 2\r\n")
    assert (made.subject, made.source) == ("paper jam in tray 2", "192.0.2.7")


@pytest.mark.parametrize("data", [b"", b"\r\n" * 1000, b"From: <>\r\n\r\n \t\r\n"], ids=["no", "lines", "blank"])
def test_an_empty_mail_is_an_alert_too(data: bytes) -> None:
    """That somebody sent it is all that can be told."""
    made = alert(data)
    assert (made.subject, made.content) == ("Alert without a subject", "")


def test_a_subject_in_encoded_words_is_readable() -> None:
    """RFC 2047, as every mail program writes what is not ASCII."""
    assert alert(b"Subject: =?iso-8859-1?q?Gr=F6=DFe?=\r\n\r\n").subject == "Größe"


@pytest.mark.parametrize(
    ("header", "severity"),
    [
        ("X-Priority: 1 (Highest)", Severity.ERROR),
        ("X-Priority: 2", Severity.ERROR),
        ("X-Priority: 3", Severity.WARNING),
        ("X-Priority: 5 (Lowest)", Severity.INFO),
        ("Importance: High", Severity.ERROR),
        ("Importance: low", Severity.INFO),
        ("Priority: urgent", Severity.ERROR),
        ("X-MSMail-Priority: High", Severity.ERROR),
        ("X-Priority: nonsense", Severity.WARNING),
        ("X-Other: 1", Severity.WARNING),
    ],
)
def test_a_marked_mail_is_more_or_less_severe(header: str, severity: Severity) -> None:
    """What the programs of the world call high is an error here, and what they call low an info."""
    assert alert(f"{header}\r\n\r\ntext\r\n".encode()).severity is severity


def test_the_recipient_outranks_the_mark() -> None:
    """Whoever writes +critical means it."""
    chosen = Addressing(("dba",), severity=Severity.CRITICAL)
    made = alert(b"X-Priority: 5\r\n\r\ntext\r\n", chosen)
    assert (made.severity, made.receivers) == (Severity.CRITICAL, ("dba",))


def test_files_are_attached() -> None:
    """Name, type and octets are those of the mail."""
    (file,) = alert(with_files(2000)).attachments
    assert (file.name, file.content_type, file.data) == ("page-0.tiff", "image/tiff", bytes(2000))


def test_files_beyond_the_limit_are_named_in_a_note() -> None:
    """Those that fit are attached, in their order."""
    made = alert(with_files(600, 600, 300), limit=1000)
    assert [file.name for file in made.attachments] == ["page-0.tiff", "page-2.tiff"]
    assert made.notes == ("page-1.tiff is not attached: it has 600 bytes, and there was room for 400.",)


def test_many_files_beyond_the_limit_are_counted() -> None:
    """The notes stay short."""
    assert alert(with_files(*[10] * 9), limit=0).notes[-1] == "4 more files are not attached."


def test_defects_are_told() -> None:
    """Whoever mends the program learns what is wrong with its mail, in a few sentences."""
    made = alert(b"Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe\x00\r\n")
    assert 1 <= len(made.notes) <= MAX_DEFECTS
    assert all(note.startswith("The mail was not well-formed: ") for note in made.notes)


def test_nested_parts_without_end_are_survived() -> None:
    """2,000 levels of multipart cost no recursion, and what stands before them is read."""
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(2000)
    )
    made = alert(b"Subject: deep\r\n" + nested + b"\r\nthe bottom\r\n")
    assert made.subject == "deep"
    assert made.notes
