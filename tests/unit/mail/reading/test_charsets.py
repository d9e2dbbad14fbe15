"""Octets to text: declared, marked, or guessed."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("Größe".encode("latin-1"), "utf-8", "Größe", (WRONG_CHARSET,)),
        ("磁盘已满".encode("gbk"), "utf-8", "磁盘已满", (WRONG_CHARSET,)),
        (b"a\x81", "utf-8", "a\\x81", (WRONG_CHARSET, UNDECODABLE)),
        ("磁盘".encode()[:-1], "utf-8", "磁\\xe7\\x9b", (UNDECODABLE,)),
        ("ディスク".encode("iso2022_jp"), "", "ディスク", ()),
        ("ディスク".encode("shift_jis"), "Shift_JIS", "ディスク", ()),
        ("磁盘".encode("hz"), "hz-gb-2312", "磁盘", ()),
        ("磁".encode("utf-16-be"), "utf-16be", "磁", ()),
        (b"\x81", "", "\\x81", (NO_CHARSET, UNDECODABLE)),
        (b"\x1b.J\x1bN@\xff", "iso-2022-jp-2", "\x1b.J\x1bN@\\xff", (UNDECODABLE,)),
    ],
    ids=[
        "ASCII", "ASCII in an unknown charset", "UTF-8", "western", "western as ASCII", "Chinese", "Chinese declared",
        "UTF-8 under another name", "byte order mark", "unknown charset", "western as UTF-8", "Chinese as UTF-8",
        "nothing fits as UTF-8", "UTF-8 cut off", "7-bit Japanese", "Japanese", "7-bit Chinese", "two octets each",
        "nothing fits", "codec gives up",
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


@pytest.mark.parametrize("declared", ["utf-8", "us-ascii", "x-martian"])
def test_a_page_outweighs_what_is_wrong_around_it(declared: str) -> None:
    """Programs declare UTF-8 for pages that they were given in something else."""
    page = '<meta charset="koi8-r">Привет'
    decoded = read_text(page.encode("koi8_r"), declared, html=True)
    assert (decoded.text, decoded.warnings) == (page, (WRONG_CHARSET,))


def test_a_page_does_not_outweigh_what_is_right_around_it() -> None:
    """What a gateway converted keeps its old `<meta>`."""
    page = '<meta charset="koi8-r">Привет'
    assert read_text(page.encode(), "utf-8", html=True).text == page
    assert read_text(page.encode("cp1251"), "cp1251", html=True).text == page


@given(st.text(min_size=1, max_size=40).filter(lambda text: not text.isascii()), st.integers(1, 3))
def test_utf_8_that_was_cut_off_stays_utf_8(text: str, cut: int) -> None:
    """If something is left of it that shows what it is."""
    octets = "磁盘".encode() + text.encode(errors="replace")
    assert read_text(octets[:-cut], "utf-8").text.startswith("磁")
