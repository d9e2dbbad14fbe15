"""Bytes to text: charsets by name, byte order marks, and bytes that fit nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.charset import (
    CODECS,
    MARK_DROPPED,
    UNDECODABLE,
    UNKNOWN_CHARSET,
    Decoded,
    codec_of,
    decode,
    parse_content_type,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ("", "")),
        ("Application/JSON", ("application/json", "")),
        ("text/plain; charset=gb18030", ("text/plain", "gb18030")),
        ('text/plain;format=flowed; Charset = "ISO-8859-1" ', ("text/plain", "ISO-8859-1")),
        ("text/plain; charset=", ("text/plain", "")),
        ("text/plain; x-charset=koi8-r", ("text/plain", "")),
    ],
)
def test_content_type_is_parsed(value: str, expected: tuple[str, str]) -> None:
    """Case, quotes and other parameters do not matter."""
    assert parse_content_type(value) == expected


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf_8"),
        ("UTF8", "utf_8"),
        ("us-ascii", "utf_8"),
        ("ISO-8859-1", "cp1252"),
        ("iso-8859-15", "iso8859_15"),
        ("GB2312", "gb18030"),
        ("Shift_JIS", "cp932"),
        ("windows-1251", "cp1251"),
        ("punycode", None),
        ("unicode_escape", None),
        ("base64", None),
        ("no-such", None),
        ("---", None),
    ],
)
def test_charset_names_its_codec(charset: str, codec: str | None) -> None:
    """Common labels are known; what is a codec but no charset is not."""
    assert codec_of(charset) == codec


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        pytest.param("磁盘已满".encode("gb18030"), "gb18030", Decoded("磁盘已满"), id="gb18030"),
        pytest.param("größer".encode("latin-1"), "iso-8859-1", Decoded("größer"), id="latin-1"),
        pytest.param("ü".encode("utf-16"), "", Decoded("ü", (MARK_DROPPED,)), id="utf16-mark"),
        pytest.param("ü".encode("utf-16-be"), "utf-16be", Decoded("ü"), id="utf16-big-endian"),
        pytest.param(b"\xef\xbb\xbfa", "latin-1", Decoded("a", (MARK_DROPPED,)), id="mark-outweighs-charset"),
        pytest.param(b"gr\xf6\xdfer", "", Decoded(r"gr\xf6\xdfer", (UNDECODABLE,)), id="bad-bytes"),
        pytest.param(b"\x81", "latin-1", Decoded(r"\x81", (UNDECODABLE,)), id="hole-in-the-charset"),
        pytest.param("é".encode(), "nope", Decoded("é", (UNKNOWN_CHARSET,)), id="unknown-charset"),
    ],
)
def test_bytes_become_text(data: bytes, charset: str, expected: Decoded) -> None:
    """Nothing is refused, and what was changed is told."""
    assert decode(data, charset) == expected


@given(data=st.binary(max_size=200), codec=st.sampled_from(sorted(CODECS)))
def test_any_bytes_in_any_charset_become_text_that_can_be_sent(data: bytes, codec: str) -> None:
    """No codec fails, and none lets a lone surrogate through."""
    text = decode(data, codec).text
    assert text.encode().decode() == text
