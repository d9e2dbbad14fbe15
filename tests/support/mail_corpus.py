"""Two hundred well-formed mails of every shape, each with what it says. The same mails come out each time.

Every choice is made by the number of the mail, modulo how many there are to choose from. These are coprime or nearly
so: each charset meets each structure, each form of a name each transfer encoding, and so on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from app.domain.address import Mailbox
from tests.support.mail_writing import (
    NAME_FORMS,
    WORD_FORMS,
    WrittenPart,
    file_part,
    multipart,
    parameter,
    text_part,
    words,
)

COUNT = 200
# fmt: off
PHRASES = {  # one charset of each writing system, and those that most mails come in
    "us-ascii": "Disk full", "utf-8": "磁盘 🔥 é", "iso-8859-1": "Größe überschritten", "iso-8859-15": "Über 5 €",
    "windows-1252": "L’été à Noël", "iso-8859-2": "Błąd dysku ąę", "koi8-r": "Диск заполнен",
    "windows-1251": "Сбой питания", "iso-8859-7": "Ο δίσκος γέμισε", "gb2312": "磁盘已满", "gb18030": "磁盘朱镕基",
    "big5": "磁碟空間不足", "shift_jis": "ディスク容量不足", "euc-jp": "サーバー障害", "iso-2022-jp": "応答なし",
    "euc-kr": "디스크 부족", "windows-1256": "القرص ممتلئ", "tis-620": "ดิสก์เต็ม", "windows-1254": "Şimdi bağlantı",
}
# fmt: on
TRANSFERS = ("base64", "quoted-printable", "8bit")
DATA = bytes(range(256)) * 3
EAST, WEST = timezone(timedelta(hours=8)), timezone(-timedelta(hours=5))
NOON = datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC)
DATES = (
    (b"Sun, 22 Nov 2026 12:00:07 +0800", NOON.replace(tzinfo=EAST)),
    (b"Sun, 22 Nov 2026 12:00:07 +0800 (CST)", NOON.replace(tzinfo=EAST)),
    (b"22 Nov 2026 12:00:07 -0500", NOON.replace(tzinfo=WEST)),
    (b"Sun, 22 Nov 2026 12:00:07 GMT", NOON),
    (b"Sun, 22 Nov 2026 12:00:07 EST", NOON.replace(tzinfo=WEST)),
    (b"Sun, 22 Nov 2026 12:00 +0000", NOON.replace(second=0)),
    (b"Sun, 22 Nov 2026 12:00:07 -0000", NOON),
)


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """An attachment: its name ("" for none), media type and octets."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a mail says. Texts have LF for line ends."""

    subject: str
    sender: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    date: datetime | None
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    html: str
    files: tuple[CorpusFile, ...]


@dataclass(frozen=True, slots=True)
class CorpusMail:
    """A mail as octets, and what it says."""

    shape: str
    octets: bytes
    said: Said


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the mail of one number is made of."""

    number: int

    @property
    def charset(self) -> str:
        return list(PHRASES)[self.number % len(PHRASES)]

    @property
    def phrase(self) -> str:
        return PHRASES[self.charset]

    @property
    def text(self) -> str:
        return f"{self.phrase}: {self.number}.\n\n{self.phrase * 4} = 100 %\n"

    @property
    def html(self) -> str:
        return f"<p>{self.phrase} <b>{self.number}</b></p>\n"

    def text_part(self) -> WrittenPart:
        return text_part(self.text, self.charset, TRANSFERS[self.number % 3])

    def html_part(self) -> WrittenPart:
        return text_part(self.html, self.charset, TRANSFERS[(self.number + 1) % 3], "html")

    def file(self, suffix: str, content_type: str, disposition: str = "attachment") -> tuple[WrittenPart, CorpusFile]:
        form = NAME_FORMS[self.number % len(NAME_FORMS)]
        name = "" if form == "none" else f"report{suffix}" if form == "token" else f"{self.phrase} {suffix}"
        written = parameter("filename", name, self.charset, form) if name else b""
        data = DATA[self.number :]
        part = file_part(written, data, content_type=content_type, disposition=disposition)
        return part, CorpusFile(name, content_type, data)

    def word(self, text: str = "") -> bytes:
        return words(text or self.phrase, self.charset, WORD_FORMS[self.number % len(WORD_FORMS)])


_Built = tuple[WrittenPart, bool, bool, tuple[CorpusFile, ...]]  # with a text, with HTML


def _alternative(chosen: _Choice) -> WrittenPart:
    return multipart("alternative", chosen.text_part(), chosen.html_part())


def _mixed(chosen: _Choice) -> _Built:
    part, file = chosen.file(".log", "application/x-log")
    return multipart("mixed", chosen.text_part(), part), True, False, (file,)


def _mixed_alternative(chosen: _Choice) -> _Built:
    parts = [chosen.file(".pdf", "application/pdf"), chosen.file(".txt", "text/x-log")]
    files = tuple(file for _, file in parts)
    return multipart("mixed", _alternative(chosen), *(part for part, _ in parts)), True, True, files


def _related(chosen: _Choice) -> _Built:
    part, file = chosen.file(".png", "image/png", "inline")
    related = multipart("related", chosen.html_part(), part)
    return multipart("alternative", chosen.text_part(), related), True, True, (file,)


def _forwarded(chosen: _Choice) -> _Built:
    inner = b"Subject: inner\r\nContent-Type: text/plain\r\n\r\n%d\r\n" % chosen.number
    part = WrittenPart(b"Content-Type: message/rfc822\r\n", inner)
    file = CorpusFile("", "message/rfc822", inner)
    return multipart("mixed", chosen.text_part(), part), True, False, (file,)


def _signed(chosen: _Choice) -> _Built:
    signature = b"-----BEGIN PGP SIGNATURE-----\r\n=%d\r\n" % chosen.number
    part = WrittenPart(b"Content-Type: application/pgp-signature\r\n", signature)
    file = CorpusFile("", "application/pgp-signature", signature)
    return multipart("signed", chosen.text_part(), part), True, False, (file,)


def _deep(chosen: _Choice) -> _Built:
    part, file = chosen.file(".zip", "application/zip")
    inner = multipart("mixed", multipart("mixed", multipart("mixed", _alternative(chosen))), part)
    return multipart("mixed", inner), True, True, (file,)


STRUCTURES: dict[str, Callable[[_Choice], _Built]] = {
    "plain": lambda chosen: (chosen.text_part(), True, False, ()),
    "HTML": lambda chosen: (chosen.html_part(), False, True, ()),
    "alternative": lambda chosen: (_alternative(chosen), True, True, ()),
    "mixed": _mixed,
    "mixed with alternative": _mixed_alternative,
    "related": _related,
    "forwarded": _forwarded,
    "signed": _signed,
    "deep": _deep,
}


def _people(chosen: _Choice, shift: int) -> tuple[bytes, tuple[Mailbox, ...]]:
    """Return an address list as it is written, and whom it names."""
    address = f"user{chosen.number}@example.org"
    bare = address.encode()
    short = chosen.phrase[:5].strip()  # in one encoded word
    forms: Sequence[tuple[bytes, tuple[Mailbox, ...]]] = (
        (bare, (Mailbox(address),)),
        (b"Ops Night <%b>" % bare, (Mailbox(address, "Ops Night"),)),
        (rb'"Ops, \"Night\" \\o/" <%b>' % bare, (Mailbox(address, r'Ops, "Night" \o/'),)),
        (b"%b <%b>" % (chosen.word(short), bare), (Mailbox(address, short),)),
        (b"<%b>" % bare, (Mailbox(address),)),
        (
            b'a@example.org, %b\r\n <%b>,\r\n "b c"@example.org' % (chosen.word(short), bare),
            (Mailbox("a@example.org"), Mailbox(address, short), Mailbox('"b c"@example.org')),
        ),
        (b"Night: a@example.org, %b;" % bare, (Mailbox("a@example.org"), Mailbox(address))),
        (b"undisclosed-recipients:;", ()),
    )
    return forms[(chosen.number + shift) % (5 if not shift else len(forms))]


def corpus() -> list[CorpusMail]:
    """Return the mails, in the order of their numbers."""
    return [_mail(_Choice(number)) for number in range(COUNT)]


def _mail(chosen: _Choice) -> CorpusMail:
    number = chosen.number
    structure = list(STRUCTURES)[number % len(STRUCTURES)]
    root, has_text, has_html, files = STRUCTURES[structure](chosen)
    lists = {name: _people(chosen, shift) for shift, name in enumerate(("From", "To", "Cc", "Reply-To"))}
    date, moment = DATES[number % len(DATES)]
    ids = tuple(f"<{number}.{n}@example.org>" for n in range(number % 4))
    fields = [
        (b"Received", b"from a by b; Sun, 22 Nov 2026 12:00:07 +0800"),
        *((name.encode(), written) for name, (written, _) in lists.items()),
        (b"Subject", chosen.word()),
        (b"Date", date),
        (b"Message-ID", b"<%d@example.org>" % number),
        *([(b"In-Reply-To", ids[0].encode()), (b"References", "\r\n ".join(ids).encode())] if ids else []),
        (b"MIME-Version", b"1.0"),
    ]
    said = Said(
        subject=chosen.phrase,
        sender=lists["From"][1],
        to=lists["To"][1],
        cc=lists["Cc"][1],
        reply_to=lists["Reply-To"][1],
        date=moment,
        message_id=f"<{number}@example.org>",
        in_reply_to=ids[:1],
        references=ids,
        text=chosen.text if has_text else "",
        html=chosen.html if has_html else "",
        files=files,
    )
    header = b"".join(b"%b: %b\r\n" % field for field in fields)
    return CorpusMail(f"{number}: {structure}, {chosen.charset}", header + root.render(), said)
