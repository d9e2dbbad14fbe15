"""Octets of a mail to text: by what is declared, then by their own signs, then by a sound guess. Never raises."""

import re
from codecs import getincrementaldecoder

from app.domain.charset import BYTE_ORDER_MARKS, Decoded
from app.mail.reading.charset_names import codec_named

UNKNOWN_CHARSET = "a charset is not known, so it was guessed"
WRONG_CHARSET = "a text is not in the charset that it declares, so that was guessed"
NO_CHARSET = "a text that is not ASCII declares no charset, so it was guessed"
UNDECODABLE = "octets that do not belong to their charset are shown as \\xNN"

# What senders write for "I do not know" (RFC 1428 section 3, and mail programs).
_NO_ANSWER = re.compile(r"unknown|default|none|ascii|us_ascii|ansi_x3_4_\d+")
# HTML standard, "prescan a byte stream": the declaration must stand within the first 1024 bytes.
_META = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_META_REACH = 1024
# What is labelled with the first one often has characters that only the others know.
_WIDER = {"big5": ("cp950", "big5hkscs"), "iso2022_jp": ("iso2022_jp_ext",), "euc_jp": ("euc_jis_2004",)}
# Where ASCII octets may mean something else: UTF-16 has two each, HZ (RFC 1843) and its like are 7-bit; EBCDIC.
_NOT_OF_ASCII = ("utf_16", "utf_32", "utf_7", "hz", "iso2022", "cp037", "cp273", "cp500", "cp1140")
_ASCII = bytes(range(0x80))
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF_8_REACH = 64 * 1024
_PIECE = 64 * 1024
_UTF_8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")  # RFC 3629
_ISO_2022_JP = (b"\x1b$B", b"\x1b$@", b"\x1b(J")  # RFC 1468: the escapes that begin Japanese text
# GB 2312: full-width signs, and the 3,755 hanzi in common use. Western text hardly ever looks like nothing but these.
_ALL_HANZI = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*+")


def read_text(data: bytes, charset: str = "", *, hint: str = "", html: bool = False) -> Decoded:
    """Return `data` as text, and what is wrong with it. `charset` is what was declared, "" for nothing.

    An HTML page without a declared charset may name it in its `<meta>`. `hint` is the codec for what is declared
    nowhere, as far as the rest of the mail tells; "" for no idea.
    """
    for mark, marked_codec in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data[len(mark) :]
            return _by_codec(text, marked_codec) or _damaged(text, marked_codec)
    page_charset = charset_of_page(data) if html else ""
    charset = charset or page_charset
    codec = None if says_nothing(charset) else codec_named(charset)
    if data.isascii() and b"\x1b" not in data and not (codec and codec.startswith(_NOT_OF_ASCII)):
        return Decoded(data.decode("ascii"))
    return (
        (_by_codec(data, codec) if codec else None)
        or (read_as(data, codec_named(page_charset)) if page_charset else None)
        or _otherwise(data, charset, codec, hint)
    )


def read_as(data: bytes, codec: str | None) -> Decoded | None:
    """Return `data` as text in the charset of `codec` instead of the one that it declares, None if it is not in it."""
    text = _strictly(data, codec) if codec else None
    return None if text is None else Decoded(text, (WRONG_CHARSET,))


def says_nothing(charset: str) -> bool:
    """Whether a declared charset, "" for none, leaves open what octets that are not ASCII mean."""
    return not charset or _NO_ANSWER.match(charset.lower().replace("-", "_")) is not None


def hint_of(charset: str) -> str:
    """Return the codec that a charset declared for one text gives to undeclared ones around it, "" for none.

    UTF-8 is tried everywhere, and what is not built upon ASCII is not what a program writes without saying so.
    """
    codec = "" if says_nothing(charset) else codec_named(charset) or ""
    return "" if codec.startswith(("utf", *_NOT_OF_ASCII)) else codec


def charset_of_page(data: bytes) -> str:
    """Return the charset that a page of HTML names at its beginning, "" for none."""
    declared = _META.search(data, 0, _META_REACH)
    return declared[1].decode("ascii", "replace") if declared else ""


def is_utf_8(data: bytes, *, is_declared: bool = False) -> bool:
    """Whether this is UTF-8, though a character may be broken: subjects are cut off wherever they get too long.

    What is declared to be UTF-8 is, unless most of it is broken.

    In other charsets four octets that happen to be valid characters stand beside far more that are not. What is
    looked at is the beginning of what is not ASCII: no other thread runs meanwhile.
    """
    first = _HIGH.search(data)
    if first is None or _strictly(data, "utf_8") is not None:
        return True
    sample = data[first.start() : first.start() + _UTF_8_REACH]
    broken = len(_UTF_8.sub(b"", sample).translate(None, _ASCII))
    return (1 if is_declared else 4) * broken <= len(sample.translate(None, _ASCII)) - broken


def _by_codec(data: bytes, codec: str) -> Decoded | None:
    """Return the text if it is in the declared charset, or what is likely to be meant by it."""
    if (text := _strictly(data, codec)) is not None:
        return Decoded(text)
    if decoded := read_as(data, "utf_8"):  # hardly any other text is valid UTF-8
        return decoded
    for wider in _WIDER.get(codec, ()):
        if (text := _strictly(data, wider)) is not None:
            return Decoded(text)
    return None


def _otherwise(data: bytes, charset: str, codec: str | None, hint: str) -> Decoded:
    """Return text that is not in the charset that it declares, "" for none. UTF-8 is often declared in vain."""
    if codec is None:
        return _guessed(data, NO_CHARSET if says_nothing(charset) else UNKNOWN_CHARSET, hint)
    if codec == "utf_8" and not is_utf_8(data, is_declared=True):
        return _guessed(data, WRONG_CHARSET, hint)
    return _damaged(data, codec)


def _damaged(data: bytes, codec: str) -> Decoded:
    return Decoded(_readably(data, codec), (UNDECODABLE,))


def _guessed(data: bytes, defect: str, hint: str) -> Decoded:
    is_japanese = any(escape in data for escape in _ISO_2022_JP)
    for codec in ("iso2022_jp", "utf_8") if is_japanese else ("utf_8",):
        if (text := _strictly(data, codec)) is not None:
            return Decoded(text)  # RFC 6532: UTF-8 needs no declaration in a header
    if is_utf_8(data):
        return Decoded(_readably(data, "utf_8"), (UNDECODABLE,))
    guesses = (hint, "gb18030" if _ALL_HANZI.fullmatch(data) else "", "cp1252" if not hint else "")
    for codec in filter(None, guesses):
        if (text := _strictly(data, codec)) is not None:
            return Decoded(text, (defect,))
    return Decoded(_readably(data, hint or "cp1252"), (defect, UNDECODABLE))


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, RuntimeError):  # the latter: as below
        return None


def _readably(data: bytes, codec: str) -> str:
    decoder = getincrementaldecoder(codec)("backslashreplace")
    try:
        # In pieces, for no other thread runs while one is decoded.
        pieces = [decoder.decode(data[start : start + _PIECE]) for start in range(0, len(data), _PIECE)]
        return "".join([*pieces, decoder.decode(b"", final=True)])
    except RuntimeError:  # CPython's iso2022_jp_2 gives up at ESC . J ESC N
        return data.decode("ascii", "backslashreplace")
