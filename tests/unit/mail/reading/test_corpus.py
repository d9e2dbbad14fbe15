"""Two hundred well-formed mails: the reader and Python's `email` agree, and where they do not, `email` is wrong."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.address import Mailbox
from app.mail.reading.reader import read_message
from tests.support.mail_corpus import COUNT, CorpusFile, CorpusMail, Said, corpus
from tests.support.mail_oracle import said_by_email


def said_by_reader(octets: bytes) -> Said:
    """Return what our reader reads; a text made of HTML is none that the mail says."""
    mail = read_message(octets)
    has_text = any(part.content_type == "text/plain" for part in mail.parts)
    return Said(
        subject=mail.subject,
        sender=mail.headers.mailboxes("From"),
        to=mail.to,
        cc=mail.cc,
        reply_to=mail.reply_to,
        date=mail.date,
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        text=mail.text if has_text else "",
        html=mail.html,
        files=tuple(CorpusFile(file.name, file.content_type, file.data) for file in mail.files),
    )


def test_the_corpus_is_as_large_as_it_says() -> None:
    """Each mail is another one."""
    assert len({mail.octets for mail in corpus()}) == COUNT


@pytest.mark.parametrize("mail", corpus(), ids=lambda mail: mail.shape)
def test_well_formed_mails(mail: CorpusMail) -> None:
    """Reader and `email` both read what was written, and the reader finds nothing wrong."""
    assert said_by_reader(mail.octets) == mail.said
    assert read_message(mail.octets).defects == ()
    oracle = said_by_email(mail.octets)
    if oracle.date is not None and oracle.date.tzinfo is None:  # the exception "a date without a zone" below
        oracle = replace(oracle, date=oracle.date.replace(tzinfo=UTC))
    assert oracle == mail.said


@dataclass(frozen=True, slots=True)
class Wrong:
    """What `email` makes of a field of a mail, be it an exception, and what is right, by which rule."""

    octets: bytes
    field: str
    email: Any
    right: Any
    rule: str


def header(field: str, body: str) -> bytes:
    return f"{field}: {body}\r\n\r\n".encode()


def body(octets: bytes, content_type: bytes = b"text/plain", more: bytes = b"") -> bytes:
    return b"MIME-Version: 1.0\r\nContent-Type: %b\r\n%b\r\n%b" % (content_type, more, octets)


FLOWED = b"text/plain; format=flowed"
DISK = CorpusFile("a.txt", "application/octet-stream", b"disk")
# fmt: off
EXCEPTIONS = {
    "gb2312 that is gbk": Wrong(
        header("Subject", "=?gb2312?B?6UY=?="), "subject", "\ufffdF", "镕",
        "programs write gb2312 for what is in GBK or GB 18030"),
    "Latin-1 that is Windows": Wrong(
        header("Subject", "=?iso-8859-1?Q?=93a=94?="), "subject", "\x93a\x94", "“a”",
        "Encoding standard: iso-8859-1 is a label of windows-1252, for no text has C1 controls"),
    "Hebrew with its direction": Wrong(
        header("Subject", "=?iso-8859-8-i?Q?=F9?="), "subject", "\ufffd", "ש", "RFC 1556"),
    "two words of a name": Wrong(
        header("From", "=?utf-8?Q?=C3=A9a?= =?utf-8?Q?=C3=A9b?= <a@b.c>"),
        "sender", (Mailbox("a@b.c", "éa éb"),), (Mailbox("a@b.c", "éaéb"),),
        "RFC 2047 section 6.2: white space between encoded words is not shown"),
    "a name in a comment": Wrong(
        header("From", "root@example.org (Cron Daemon)"),
        "sender", (Mailbox("root@example.org"),), (Mailbox("root@example.org", "Cron Daemon"),),
        "RFC 5322 section 3.4: this is how mailboxes were named once, and cron names itself so"),
    "a folded tab": Wrong(
        header("Subject", "a\r\n\tb"), "subject", "a\tb", "a b",
        "RFC 5322 section 2.2: a header is one line for people, and a control character none of its text"),
    "a date without a zone": Wrong(
        header("Date", "Sun, 22 Nov 2026 12:00:07 -0000"),
        "date", datetime(2026, 11, 22, 12, 0, 7), datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC),  # noqa: DTZ001
        "RFC 5322 section 3.3: -0000 is a time in UTC"),
    "a military zone": Wrong(
        header("Date", "22 Nov 2026 12:00:07 A"),
        "date", datetime(2026, 11, 22, 12, 0, 7), datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC),  # noqa: DTZ001
        "RFC 5322 section 4.3: they count as -0000"),
    "an id with a comment": Wrong(
        header("Message-ID", "<a@b> (x)"), "message_id", "<a@b> (x)", "<a@b>",
        "RFC 5322 section 3.6.4: a comment is no part of the id"),
    "ids without a space": Wrong(
        header("References", "<a@b><c@d>"), "references", ("<a@b><c@d>",), ("<a@b>", "<c@d>"),
        "RFC 5322 section 3.6.4: white space between them may be missing"),
    "a phrase before the id": Wrong(
        header("In-Reply-To", "Your mail <a@b>"), "in_reply_to", ("Your", "mail", "<a@b>"), ("<a@b>",),
        "RFC 5322 section 4.5.4: words there are to be passed over"),
    "a text of gb2312 that is gbk": Wrong(
        body(b"\xe9F\r\n", b"text/plain; charset=gb2312"), "text", "\ufffdF\n", "镕\n", "as in headers"),
    "a text in Hebrew with its direction": Wrong(
        body(b"\xf9\r\n", b"text/plain; charset=iso-8859-8-i"), "text", LookupError, "ש\n", "as in headers"),
    "UTF-8 that nobody declared": Wrong(
        body("磁盘\r\n".encode()), "text", "\ufffd" * 6 + "\n", "磁盘\n",
        "RFC 2045 section 5.2 leaves open what octets that are not ASCII mean; this is hardly anything else"),
    "a byte order mark": Wrong(
        body(b"\xef\xbb\xbfa\r\n", b"text/plain; charset=utf-8"), "text", "\ufeffa\n", "a\n",
        "RFC 3629 section 6: it is a signature, not text"),
    "a charset in the page": Wrong(
        body("<meta charset=koi8-r>диск\r\n".encode("koi8-r"), b"text/html"),
        "html", "<meta charset=koi8-r>" + "\ufffd" * 4 + "\n", "<meta charset=koi8-r>диск\n",
        "HTML standard: the page says it"),
    "flowed text": Wrong(
        body(b"the disk \r\nis full\r\n", FLOWED), "text", "the disk \nis full\n", "the disk is full\n",
        "RFC 3676 section 4.1: a line that ends in a space goes on"),
    "a file within the text": Wrong(
        body(b"see\r\nbegin 644 a.txt\r\n$9&ES:P``\r\n`\r\nend\r\n"), "files", (), (DISK,),
        "POSIX: uuencode"),
    "an encoded name without quotes": Wrong(
        body(b"x", b"application/pdf", b"Content-Disposition: attachment; filename==?utf-8?B?56OB?=\r\n"),
        "files", (CorpusFile("", "application/pdf", b"x"),), (CorpusFile("磁", "application/pdf", b"x"),),
        "of no standard, but its meaning is plain"),
    "base64 in two pieces": Wrong(
        body(b"ZGlzaw==ZnVsbA==\r\n", more=b"Content-Transfer-Encoding: base64\r\n"), "text", "disk", "diskfull",
        "RFC 2045 section 6.8 says that padding may be the end; what follows is data all the same"),
    "white space that a relay added": Wrong(
        body(b"a   \r\nb=20\r\n", more=b"Content-Transfer-Encoding: quoted-printable\r\n"),
        "text", "a   \nb \n", "a\nb \n", "RFC 2045 section 6.7 rule 3: it must be deleted"),
    "a comment behind the encoding": Wrong(
        body(b"ZGlzaw==", more=b"Content-Transfer-Encoding: base64 (x)\r\n"), "text", "ZGlzaw==", "disk",
        "RFC 2045 section 5.1: comments may stand in these fields"),
    "a comment behind the type": Wrong(
        body(b"\xc3\xa9\r\n", b"text/plain (x); charset=utf-8 (y)"), "text", "", "é\n", "the same rule"),
}
# fmt: on


@pytest.mark.parametrize("wrong", EXCEPTIONS.values(), ids=EXCEPTIONS)
def test_where_email_is_wrong(wrong: Wrong) -> None:
    """The reader follows the rule; `email` does as it is told here, or has learned it in a later version."""
    assert getattr(said_by_reader(wrong.octets), wrong.field) == wrong.right, wrong.rule
    try:
        email = getattr(said_by_email(wrong.octets), wrong.field)
    except LookupError as error:
        email = type(error)
    assert email in (wrong.email, wrong.right), wrong.rule
