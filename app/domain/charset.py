"""Bytes to text: in the charset that was named, never failing."""

import codecs
import re
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import lru_cache

# Only these: Python also knows codecs that are no charsets (punycode, unicode_escape), and remembers
# every unknown name that it is asked for.
# fmt: off
CODECS = frozenset({
    "utf_8", "utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8",
    "iso8859_9", "iso8859_10", "iso8859_11", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16",
    "koi8_r", "koi8_u", "mac_roman", "cp437", "cp850", "cp852", "cp866", "cp874", "tis_620",
    "gb18030", "hz", "big5", "big5hkscs", "euc_jp", "cp932", "iso2022_jp", "cp949", "iso2022_kr", "johab",
})
# fmt: on
# What people label with the name on the left is often written in its superset, as browsers know
# (the Encoding standard does the same).
SUPERSETS = {
    "ascii": "utf_8",
    "latin_1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf_16": "utf_16_le",
    "utf_32": "utf_32_le",
}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
UNKNOWN_CHARSET = "the charset of the Content-Type is not known; the body was read as UTF-8"
MARK_DROPPED = "a byte order mark before the text was dropped"
UNDECODABLE = "bytes that do not belong to the charset were replaced"

# RFC 9110 section 8.3.1; no charset has a name of more than 40 characters.
_CHARSET = re.compile(r';\s*charset\s*=\s*["\']?([\w.:+-]{1,40})', re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what the sender should know of its making."""

    text: str
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=64)  # every client sends the same one, again and again
def parse_content_type(value: str) -> tuple[str, str]:
    """Return the media type in lower case without parameters, and the charset parameter; "" for none."""
    media_type, semicolon, _ = value.partition(";")
    charset = _CHARSET.search(value) if semicolon else None
    return media_type.strip().lower(), charset[1] if charset else ""


def codec_of(charset: str) -> str | None:
    """Return the codec that reads `charset` ("" is UTF-8), or None if none does."""
    if not charset:
        return "utf_8"
    name = re.sub(r"[\W_]+", "_", charset.lower())
    name = aliases.get(name, name)
    name = SUPERSETS.get(name, name)
    return name if name in CODECS else None


def decode(data: bytes, charset: str = "", *, errors: str = "backslashreplace") -> Decoded:
    """Return `data` as text. A byte order mark outweighs the charset.

    Bad bytes stay readable as `\\xNN`; with "replace" for `errors` they become U+FFFD, which breaks no syntax.
    """
    warnings = []
    codec = codec_of(charset)
    if codec is None:
        warnings.append(UNKNOWN_CHARSET)
    for mark, marked_codec in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            data, codec = data[len(mark) :], marked_codec
            warnings.append(MARK_DROPPED)
            break
    try:
        return Decoded(data.decode(codec or "utf_8"), tuple(warnings))
    except UnicodeError:
        return Decoded(data.decode(codec or "utf_8", errors), (*warnings, UNDECODABLE))
