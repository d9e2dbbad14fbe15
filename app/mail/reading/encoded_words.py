"""Encoded words in header fields (RFC 2047) to text: by the rules, and where senders break them. Never raises."""

import re
from binascii import a2b_qp

from app.domain.charset import Decoded
from app.mail.reading.base64_octets import decode_base64
from app.mail.reading.charsets import read_text

# RFC 2047 section 2, but longer than 75 characters, with white space inside and with "?" in the text, as some
# programs send them. The text ends before the next "=?" at the latest, so that nothing is gone through twice.
_WORD = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?([^?=]*+(?:(?:\?(?!=)|=(?!\?(?!=)))[^?=]*+)*+)\?=")


def decode_words(text: str) -> Decoded:
    """Return `text` with its encoded words decoded, those that are none as they stand, and the defects.

    White space between two words is no part of the text (section 6.2). Adjacent words of one charset are decoded
    together: many programs split a character across two, though section 5 forbids it.
    """
    if "=?" not in text:
        return Decoded(text)
    pieces: list[str] = []
    defects: dict[str, None] = {}
    charset, octets, end = "", bytearray(), 0
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        name = word[1].partition("*")[0].lower()  # RFC 2231 section 5: a language may follow
        adjacent = bool(octets) and not between.strip()
        if octets and not (adjacent and name == charset):
            _flush(octets, charset, pieces, defects)
        if not adjacent:
            pieces.append(between)
        charset, end = name, word.end()
        octets += _octets(word[2], word[3]) or b""
    _flush(octets, charset, pieces, defects)
    pieces.append(text[end:])
    return Decoded("".join(pieces), tuple(defects))


def _octets(encoding: str, text: str) -> bytes:
    data = text.encode(errors="replace")
    if encoding in "bB":
        return decode_base64(data)[0]
    return a2b_qp(data, header=True)  # section 4.2: "_" is a space


def _flush(octets: bytearray, charset: str, pieces: list[str], defects: dict[str, None]) -> None:
    decoded = read_text(bytes(octets), charset)
    pieces.append(decoded.text)
    defects.update(dict.fromkeys(decoded.warnings))
    octets.clear()
