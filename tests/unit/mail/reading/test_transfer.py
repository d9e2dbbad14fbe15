"""Transfer encodings: undone as they should be, and as far as can be where they are broken."""

import quopri
from base64 import b64encode, encodebytes
from binascii import b2a_uu

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.reading import base64_octets, uuencode
from app.mail.reading.base64_octets import PIECE
from app.mail.reading.transfer import BROKEN, UNKNOWN_ENCODING, decode_transfer
from app.mail.reading.uuencode import find_files


@pytest.mark.parametrize(
    ("encoding", "raw", "octets", "defect"),
    [
        ("", b"a\r\nb", b"a\r\nb", ""),
        ("8bit", b"\xff\0", b"\xff\0", ""),
        ("x-martian", b"abc", b"abc", UNKNOWN_ENCODING),
        ("base64", b"ZGlz\r\nayBmdWxs", b"disk full", ""),
        ("base64", b"ZGlzaw", b"disk", ""),
        ("base64", b"ZGlzaw==ZnVsbA==", b"diskfull", ""),
        ("base64", b"ZGlz!!!aw==", b"disk", BROKEN["base64"]),
        ("base64", b"ZGlzayBmdWxsZ", b"disk full", BROKEN["base64"]),
        ("quoted-printable", b"=C3=A9=\r\n!\r\n", b"\xc3\xa9!\r\n", ""),
        ("quoted-printable", b"a   \r\nb=  \r\nc", b"a\r\nbc", ""),
        ("quoted-printable", b"97=% of =zz", b"97=% of =zz", BROKEN["quoted-printable"]),
        ("quoted-printable", b"a=\rb\rc", b"ab\rc", ""),
        ("x-uuencode", b"begin 644 a\n" + b2a_uu(b"disk") + b"`\nend\n", b"disk", ""),
        ("x-uuencode", b"begin 644 a\n" + b2a_uu(b"disk"), b"disk", BROKEN["uuencode"]),
        ("x-uuencode", b"no file", b"no file", BROKEN["uuencode"]),
    ],
    ids=[
        "none", "8bit", "unknown", "base64", "no padding", "two pieces", "junk", "cut off", "quoted-printable",
        "white space added", "wrong escapes", "bare CR", "uuencode", "uuencode cut off", "no uuencode",
    ],
)  # fmt: skip
def test_octets(encoding: str, raw: bytes, octets: bytes, defect: str) -> None:
    """What can be decoded is, and a defect says what could not."""
    assert decode_transfer(raw, encoding) == (octets, defect)


@given(octets=st.binary(max_size=2000))
def test_any_octets_come_back(octets: bytes) -> None:
    """What the standard library encodes is read, byte for byte."""
    assert decode_transfer(encodebytes(octets), "base64") == (octets, "")
    lines = octets.replace(b"\r", b"")  # the encoder makes all line ends alike
    assert decode_transfer(quopri.encodestring(lines, quotetabs=True), "quoted-printable") == (lines, "")


@pytest.mark.parametrize("more", range(4))
def test_a_large_file_comes_in_pieces(more: int) -> None:
    """Wherever a piece ends, nothing is lost there."""
    octets = bytes(range(256)) * (PIECE // 128) + b"x" * more
    assert decode_transfer(b64encode(octets), "base64") == (octets, "")
    assert decode_transfer(encodebytes(octets), "base64") == (octets, "")


@pytest.mark.parametrize(
    "octets", [b"=41", b"a", b"=3D=\r\n", b"ab =C3=A9\t."], ids=["escapes", "letters", "soft", "all"]
)
def test_a_line_of_any_length_is_decoded(octets: bytes) -> None:
    """It comes in pieces too, and no escape and no white space is cut: the decoder holds up all other threads."""
    data = b"x" + octets * 200_000
    assert decode_transfer(data, "quoted-printable") == (quopri.decodestring(data), "")


def test_padding_is_counted_so_often_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind that it counts for nothing, and a defect says so."""
    monkeypatch.setattr(base64_octets, "MAX_PADDING", 4)
    assert decode_transfer(b"YQ==YQ==", "base64") == (b"aa", "")
    assert decode_transfer(b"YQ==YQ==YWJj=YWJj=", "base64") == (b"aaabcabc", BROKEN["base64"])


def test_files_in_a_text_are_found() -> None:
    """Two files in uuencode are found with their names, and a word that only looks like one is not."""
    one, two = (b"begin 644 %b\n%b`\nend\n" % (name, b2a_uu(name * 3)) for name in (b"a.txt", b"b c.txt"))
    text = b"begin 644 nothing\nhere\n" + one + b"between\n" + two
    files = find_files(text)
    assert [(file.name, file.data, file.sound) for file in files] == [
        (b"a.txt", b"a.txt" * 3, True),
        (b"b c.txt", b"b c.txt" * 3, True),
    ]
    assert text[files[0].start : files[0].end] == one


def test_beginnings_without_data_are_looked_at_so_often_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows stays text: a mail of nothing else must not keep a processor busy."""
    monkeypatch.setattr(uuencode, "MAX_BEGINS", 3)
    file = b"begin 644 a\n" + b2a_uu(b"data") + b"`\nend\n"
    assert len(find_files(b"begin 644 a\n" * 2 + file)) == 1
    assert find_files(b"begin 644 a\n" * 3 + file) == []


def test_a_file_has_so_many_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose lines hold next to nothing ends there, and is told to be broken."""
    monkeypatch.setattr(uuencode, "MAX_LINES", 2)
    (found,) = find_files(b"begin 644 a\n" + 3 * b2a_uu(b"ab"))
    assert (found.data, found.sound) == (b"abab", False)
