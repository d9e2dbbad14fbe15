"""Whole mails: their parts, their text, their files, and what is wrong with them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.domain.address import Mailbox
from app.mail.reading import head, tree
from app.mail.reading.limits import ReadingLimits
from app.mail.reading.reader import BARE_CR, read_message
from app.mail.reading.texts import TEXT_CUT
from app.mail.reading.transfer import BROKEN

HEADER = b"From: root (Cron Daemon)\nTo: ops@example.org\nSubject: disk\n  full\n"
STATUS = b"Content-Type: message/delivery-status\n\nAction: failed"


def multipart(subtype: str, *parts: bytes, boundary: bytes = b"b") -> bytes:
    """Return a multipart, its Content-Type first."""
    opening = b'Content-Type: multipart/%b; boundary="%b"\n' % (subtype.encode(), boundary)
    return opening + b"".join(b"\n--%b\n%b" % (boundary, part) for part in parts) + b"\n--%b--\n" % boundary


def text(content: bytes) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\n\n" + content


def page(content: bytes) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\n\n" + content


def file(name: bytes, content: bytes = b"x", disposition: bytes = b"attachment") -> bytes:
    return b'Content-Type: application/x-log\nContent-Disposition: %b; filename="%b"\n\n%b' % (
        disposition,
        name,
        content,
    )


def test_a_mail_of_cron() -> None:
    """A mail without MIME is its header and its text."""
    mail = read_message(b"From root Mon Nov 23 05:20:00 2026\n" + HEADER + b"\n93 % of /var\n")
    assert (mail.sender, mail.to) == (Mailbox("root", "Cron Daemon"), (Mailbox("ops@example.org"),))
    assert (mail.subject, mail.text, mail.files, mail.defects) == ("disk  full", "93 % of /var\n", (), ())


def test_what_people_look_for_in_a_header() -> None:
    """Date, identifiers and the mark of robots are read once for all."""
    mail = read_message(
        b"Date: Mon, 23 Nov 2026 05:20:00 +0800 (CST)\nMessage-ID: <1@a.b>\nIn-Reply-To: <2@a.b>\n"
        b"References: <3@a.b>\n <2@a.b>\nAuto-Submitted: Auto-Replied (vacation); x=y\nReply-To: c@d.e\n\n"
    )
    assert mail.date == datetime(2026, 11, 22, 21, 20, tzinfo=UTC)
    assert (mail.message_id, mail.in_reply_to, mail.references) == ("<1@a.b>", ("<2@a.b>",), ("<3@a.b>", "<2@a.b>"))
    assert (mail.auto_submitted, mail.reply_to) == ("auto-replied", (Mailbox("c@d.e"),))


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"], ids=["CRLF", "LF", "CR"])
def test_any_line_ends(line_end: bytes) -> None:
    """The same mail is read whatever ends its lines."""
    octets = (HEADER + multipart("mixed", text(b"hello"), file(b"a.log"))).replace(b"\n", line_end)
    mail = read_message(octets)
    assert (mail.subject, mail.text, mail.files[0].data) == ("disk  full", "hello", b"x")
    assert mail.defects == ((BARE_CR,) if line_end == b"\r" else ())


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (multipart("alternative", text(b"plain"), page(b"<p>rich")), "plain"),
        (multipart("alternative", text(b" \n"), page(b"<p>rich")), "rich\n"),
        (multipart("alternative", page(b"<p>rich"), file(b"x.ics")), "rich\n"),
        (multipart("mixed", text(b"one\n"), file(b"a.log"), text(b"two")), "one\n\ntwo\n"),
        (multipart("mixed", text(b"one"), page(b"<b>two")), "one\n\ntwo\n"),
        (
            multipart("alternative", text(b"plain"), multipart("related", page(b"<p>rich"), boundary=b"c")),
            "plain",
        ),
        (
            multipart("alternative", multipart("mixed", text(b"1"), text(b"2"), boundary=b"c"), page(b"rich")),
            "1\n\n2\n",
        ),
        (multipart("report", text(b"it bounced"), STATUS), "it bounced"),
        (multipart("mixed", b'Content-Type: text/plain; name="a.txt"\n\nfile', text(b"text")), "text"),
        (b"Content-Type: text/plain; format=flowed\n\nthe disk \nis full\n", "the disk is full\n"),
        (b"Content-Type: text/x-log; name=a.log\n\nall of it", "all of it"),
        (b"Content-Type: text\n\nold", "old"),
    ],
    ids=[
        "plain before HTML", "blank plain", "HTML alone", "around a file", "both in a row", "related", "mixed as plain",
        "report", "named text", "flowed", "one log", "older than MIME",
    ],
)  # fmt: skip
def test_the_text_of_a_mail(body: bytes, shown: str) -> None:
    """People see what the sender meant to be read, each thing once."""
    mail = read_message(HEADER + body)
    assert (mail.text, mail.defects) == (shown, ())


@pytest.mark.parametrize(
    ("part", "name", "data"),
    [
        (file(b"a.log"), "a.log", b"x"),
        (file(b"a.log", disposition=b"inline"), "a.log", b"x"),
        (b"Content-Type: image/png\nContent-ID: <1>\n\nx", "image.png", b"x"),
        (b"Content-Type: application/ms-tnef\n\nx", "winmail.dat", b"x"),
        (b"Content-Type: application/x-pkcs7-mime; smime-type=signed-data\n\nx", "smime.p7m", b"x"),
        (b"Content-Type: application/pgp-signature\n\nx", "signature.asc", b"x"),
        (b"Content-Type: message/rfc822\n\nSubject: in\n\nx", "message.eml", b"Subject: in\n\nx"),
        (STATUS, "delivery-status.txt", b"Action: failed"),
        (b"Content-Type: text/calendar\n\nBEGIN", "invitation.ics", b"BEGIN"),
        (b"Content-Type: application/x-odd\n\nx", "attachment", b"x"),
        (b"Content-Disposition: attachment\n\nx", "text.txt", b"x"),
        (b"Content-Type: x/y\nContent-Transfer-Encoding: BASE64;\n\neA==", "attachment", b"x"),
    ],
    ids=[
        "attachment", "inline", "picture", "TNEF", "S/MIME", "PGP", "mail", "report", "invitation", "no name",
        "text", "base64",
    ],
)  # fmt: skip
def test_files(part: bytes, name: str, data: bytes) -> None:
    """Everything that is not the text is a file, with its octets and a name that tells what it is."""
    mail = read_message(HEADER + multipart("mixed", text(b"see"), part))
    assert [(file.file_name, file.data) for file in mail.files] == [(name, data)]
    assert mail.text == "see"


@pytest.mark.parametrize(("given", "name"), [(b"", "encrypted.asc"), (b"; name=mail.pgp", "mail.pgp")])
def test_an_encrypted_mail_is_a_file_that_programs_know(given: bytes, name: str) -> None:
    """RFC 3156 section 4: the second part, which has no type of its own."""
    version = b"Content-Type: application/pgp-encrypted\n\nVersion: 1"
    secret = b"Content-Type: application/octet-stream" + given + b"\n\n-----BEGIN PGP MESSAGE-----"
    mail = read_message(HEADER + multipart("encrypted", version, secret))
    assert [file.file_name for file in mail.files] == ["pgp-version.asc", name]


def test_a_mail_within_a_mail() -> None:
    """A forwarded mail is a file that can be read in its turn; a digest holds nothing else."""
    mail = read_message(multipart("digest", b"\nSubject: one\n\n1", b"\nSubject: two\n\n2"))
    assert all(part.is_message for part in mail.files)
    assert [read_message(part.data).subject for part in mail.files] == ["one", "two"]


def test_files_within_the_text() -> None:
    """A file in uuencode leaves the text and comes before what is attached behind it."""
    mail = read_message(
        HEADER + multipart("mixed", text(b"see\nbegin 644 a.txt\n$9&ES:P``\n`\nend\nbye"), file(b"b.log"))
    )
    assert mail.text == "see\nbye"
    assert [(part.file_name, part.data) for part in mail.files] == [("a.txt", b"disk"), ("b.log", b"x")]


def test_parts_know_where_they_are() -> None:
    """A bounce can be taken apart: the mail itself is the first part, and each knows the one around it."""
    mail = read_message(HEADER + multipart("report", text(b"it bounced"), STATUS))
    assert mail.content_type == "multipart/report"
    assert [(part.content_type, part.parent, part.depth) for part in mail.parts] == [
        ("multipart/report", None, 0),
        ("text/plain", 0, 1),
        ("message/delivery-status", 0, 1),
    ]


@pytest.mark.parametrize(
    ("octets", "shown", "defect"),
    [
        (b"no header at all", "no header at all", head.NO_HEADERS),
        (b"Subject: x\nand the text", "and the text", head.NO_EMPTY_LINE),
        (multipart("mixed", text(b"a"))[:-6], "a", tree.NO_END),
        (multipart("mixed", multipart("mixed", text(b"a"), boundary=b"c")[:-7], text(b"z")), "a\n\nz", tree.NO_END),
        (b"Content-Type: multipart/mixed\n\n--b\n\na", "--b\n\na", tree.NO_BOUNDARY),
        (b"Content-Type: multipart/mixed; boundary=b\n\nonly text", "only text", tree.NO_PARTS),
        (multipart("mixed", b"Subject: cut", text(b"a")), "\n\na\n", head.NO_BODY),
        (b"Content-Transfer-Encoding: base64\n\nZGlz!aw", "disk", BROKEN["base64"]),
    ],
    ids=[
        "no header", "no empty line", "no last boundary", "no last boundary inside", "no boundary named",
        "boundary nowhere", "part is a header", "broken base64",
    ],
)  # fmt: skip
def test_broken_mails(octets: bytes, shown: str, defect: str) -> None:
    """What can be read is, and a defect says what is wrong."""
    mail = read_message(octets)
    assert mail.text.strip("\n") == shown.strip("\n")
    assert mail.defects == (defect,)


@pytest.mark.parametrize(
    ("raw", "charset", "subject"),
    [
        ("磁盘".encode(), b"us-ascii", "磁盘"),
        ("磁盘".encode("gbk"), b"gb2312", "磁盘"),
        ("磁盘".encode(), b"gb2312", "磁盘"),
        ("Größe".encode("latin-1"), b"us-ascii", "Größe"),
        ("диск".encode("koi8-r"), b"koi8-r", "диск"),
    ],
    ids=["UTF-8", "Chinese", "UTF-8 above Chinese", "western", "Russian"],
)
def test_raw_octets_in_a_header(raw: bytes, charset: bytes, subject: str) -> None:
    """A subject that nobody encoded is read all the same, by the charset of the text if it is not UTF-8."""
    mail = read_message(b"Subject: %b\nContent-Type: text/plain; charset=%b\n\n" % (raw, charset))
    assert mail.subject == subject


@pytest.mark.parametrize(
    ("field", "keyword"),
    [
        (b"auto-replied (vacation)", "auto-replied"),
        (b"(a (nested) \\) one) Auto-Replied", "auto-replied"),
        (b"auto-generated (no end", "auto-generated"),
        (b"()", ""),
    ],
)
def test_comments_are_no_part_of_a_keyword(field: bytes, keyword: str) -> None:
    """RFC 5322 section 3.2.2: they may stand on both sides, and nest."""
    assert read_message(b"Auto-Submitted: " + field + b"\n\n").auto_submitted == keyword


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_header_beyond_the_limit_costs_no_text(line_end: bytes) -> None:
    """The text goes on behind the next empty line, or, where none is near by, at once."""
    octets = (b"A: 1\n" * 3 + b"\nhello\n").replace(b"\n", line_end)
    assert read_message(octets, ReadingLimits(max_header_bytes=5)).text == "hello\n"
    limits = ReadingLimits(max_header_bytes=5, max_field_bytes=5)
    assert read_message(octets, limits).text.endswith("A: 1\n\nhello\n")


def test_a_body_without_a_header_takes_no_room_of_headers() -> None:
    """Its first line may be long."""
    parts = (b"-" * 200 + b"\n", text(b"a"))
    mail = read_message(multipart("mixed", *parts), ReadingLimits(max_header_bytes=150))
    assert head.FIELDS_DROPPED not in mail.defects


def test_no_header_smuggles_another() -> None:
    """What an encoded word or a bare CR puts into a header stays in one line of it."""
    mail = read_message(b"Subject: =?utf-8?Q?a=0D=0ABcc=3A_x=40y.z?= b\rBcc: x@y.z\nTo: a@b.c\n\n")
    assert mail.subject == "a Bcc: x@y.z b Bcc: x@y.z"
    assert mail.headers.count("Bcc") == 0


@pytest.mark.parametrize(
    ("limits", "check", "defect"),
    [
        (ReadingLimits(max_parts=3), lambda mail: mail.files[-1].data.startswith(b"--b\nContent"), tree.TOO_MANY),
        (ReadingLimits(max_depth=0), lambda mail: mail.files[0].data.count(b"--b") == 4, tree.TOO_DEEP),
        (ReadingLimits(max_header_fields=2), lambda mail: len(mail.headers.fields) == 2, head.FIELDS_DROPPED),
        (ReadingLimits(max_header_bytes=45), lambda mail: mail.headers.raw("B") == "", head.FIELDS_DROPPED),
        (ReadingLimits(max_field_bytes=17), lambda mail: mail.headers.raw("Content-Type")[-1] == ";", head.FIELD_CUT),
        (ReadingLimits(max_text_bytes=1), lambda mail: mail.text == "1\n", TEXT_CUT),
    ],
    ids=["parts", "depth", "header fields", "header", "field", "text"],
)  # fmt: skip
def test_limits(limits: ReadingLimits, check: Callable[..., bool], defect: str) -> None:
    """What lies beyond a limit is kept as it came, and a defect says so."""
    mail = read_message(
        multipart("mixed", text(b"1"), text(b"2"), text(b"3")).replace(b'b"\n', b'b"\nA: 1\nB: 2\n'), limits
    )
    assert check(mail)
    assert defect in mail.defects
