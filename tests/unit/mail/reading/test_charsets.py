"""Octets to text: declared, marked, or guessed."""

import codecs

import pytest

from app.mail.reading.charsets import NO_CHARSET, UNDECODABLE, UNKNOWN_CHARSET, WRONG_CHARSET, read_text


@pytest.mark.parametrize(
    ("octets", "charset", "text", "defects"),
    [
        (b"disk full", "", "disk full", ()),
        (b"disk full", "x-martian", "disk full", ()),
        ("Größe".encode(), "", "Größe", ()),
        ("Größe".encode("latin-1"), "", "Größe", (NO_CHARSET,)),
        ("Größe".encode("latin-1"), "us-ascii", "Größe", (NO_CHARSET,)),
        ("磁盘已满".encode("gbk"), "", "磁盘已满", (NO_CHARSET,)),
        ("磁盘".encode("gbk"), "GB2312", "磁盘", ()),
        ("Größe".encode(), "iso-2022-kr", "Größe", (WRONG_CHARSET,)),
        (codecs.BOM_UTF16_LE + "磁".encode("utf-16-le"), "us-ascii", "磁", ()),
        ("é".encode("latin-1"), "x-martian", "é", (UNKNOWN_CHARSET,)),
        (b"a\xff", "utf-8", "a\\xff", (UNDECODABLE,)),
        ("ディスク".encode("iso2022_jp"), "", "ディスク", ()),
        ("ディスク".encode("shift_jis"), "Shift_JIS", "ディスク", ()),
        ("磁盘".encode("hz"), "hz-gb-2312", "磁盘", ()),
        ("磁".encode("utf-16-be"), "utf-16be", "磁", ()),
        (b"\x81", "", "\\x81", (NO_CHARSET, UNDECODABLE)),
        (b"\x1b.J\x1bN@\xff", "iso-2022-jp-2", "\x1b.J\x1bN@\\xff", (UNDECODABLE,)),
    ],
    ids=[
        "ASCII", "ASCII in an unknown charset", "UTF-8", "western", "western as ASCII", "Chinese", "Chinese declared",
        "UTF-8 under another name", "byte order mark", "unknown charset", "not valid", "7-bit Japanese", "Japanese",
        "7-bit Chinese",        "two octets each", "nothing fits", "codec gives up",
    ],
)  # fmt: skip
def test_text(octets: bytes, charset: str, text: str, defects: tuple[str, ...]) -> None:
    """The text is the one that was meant, and a guess is told."""
    decoded = read_text(octets, charset)
    assert (decoded.text, decoded.warnings) == (text, defects)


def test_a_page_may_name_its_charset() -> None:
    """HTML without a declared charset is read in that of its `<meta>`."""
    page = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">Привет'
    assert read_text(page.encode("cp1251"), html=True).text == page
