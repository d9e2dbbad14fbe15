"""Octets of a mail to text: by what is declared, then by their own signs, then by a sound guess. Never raises."""

import re

from app.domain.charset import BYTE_ORDER_MARKS, Decoded, codec_of

UNKNOWN_CHARSET = "a charset is not known, so it was guessed"
WRONG_CHARSET = "a text is not in the charset that it declares, so that was guessed"
NO_CHARSET = "a text that is not ASCII declares no charset, so it was guessed"
UNDECODABLE = "octets that do not belong to their charset are shown as \\xNN"

# What senders write for "I do not know" (RFC 1428 section 3, and mail programs).
_NO_ANSWER = re.compile(r"unknown|default|none|ascii|us_ascii|ansi_x3_4_\d+")
_PRIVATE_PREFIX = re.compile(r"(x|cs)[_-]")  # RFC 2045 section 6.3; RFC 2978 section 2.3
# HTML standard, "prescan a byte stream": the declaration must stand within the first 1024 bytes.
_META = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_META_REACH = 1024
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@", b"\x1b(J")  # RFC 1468: the escapes that begin Japanese text
# GB 2312: full-width signs, and the 3,755 hanzi in common use. Western text hardly ever looks like nothing but these.
_ALL_HANZI = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*+")


def read_text(data: bytes, charset: str = "", *, html: bool = False) -> Decoded:
    """Return `data` as text, and what is wrong with it. `charset` is what was declared, "" for nothing.

    An HTML page without a declared charset may name it in its `<meta>`.
    """
    for mark, marked_codec in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _by_codec(data[len(mark) :], marked_codec)
    if html and not charset:
        charset = charset_of_page(data)
    if data.isascii() and b"\x1b" not in data and not _is_wide(charset):
        return Decoded(data.decode("ascii"))
    named = charset if not _NO_ANSWER.match(_normal(charset)) else ""
    if not named:
        return _guessed(data, NO_CHARSET)
    codec = codec_named(named)
    if codec is None:
        return _guessed(data, UNKNOWN_CHARSET)
    return _by_codec(data, codec)


def codec_named(charset: str) -> str | None:
    """Return the codec that reads `charset`, which may stand with the prefix of a private name."""
    return codec_of(charset) or codec_of(_PRIVATE_PREFIX.sub("", charset.lower(), count=1))


def charset_of_page(data: bytes) -> str:
    """Return the charset that a page of HTML names at its beginning, "" for none."""
    declared = _META.search(data, 0, _META_REACH)
    return declared[1].decode("ascii", "replace") if declared else ""


def _normal(charset: str) -> str:
    return charset.lower().replace("-", "_")


def _is_wide(charset: str) -> bool:
    """Whether ASCII octets may mean something else: RFC 1843's HZ is 7-bit, UTF-16 has two octets each."""
    return _normal(charset).startswith(("utf_16", "utf_32", "utf16", "utf32", "hz", "iso_2022"))


def _by_codec(data: bytes, codec: str) -> Decoded:
    if (text := _strictly(data, codec)) is not None:
        return Decoded(text)
    if (text := _strictly(data, "utf_8")) is not None:  # hardly any other text is valid UTF-8
        return Decoded(text, (WRONG_CHARSET,))
    return Decoded(data.decode(codec, "backslashreplace"), (UNDECODABLE,))


def _guessed(data: bytes, defect: str) -> Decoded:
    if any(escape in data for escape in _ISO_2022_JP) and (text := _strictly(data, "iso2022_jp")) is not None:
        return Decoded(text)
    if (text := _strictly(data, "utf_8")) is not None:
        return Decoded(text)  # RFC 6532: UTF-8 needs no declaration in a header
    if _ALL_HANZI.fullmatch(data) and (text := _strictly(data, "gb18030")) is not None:
        return Decoded(text, (defect,))
    western = data.decode("cp1252", "backslashreplace")
    return Decoded(western, (defect, UNDECODABLE) if "\\x" in western else (defect,))


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeError:
        return None
