"""Transfer encodings (RFC 2045 section 6): any content in lines of ASCII, ended by CRLF."""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterator

from app.domain.text import plain

MAX_LINE = 998  # RFC 5322 section 2.1.1, CRLF not included
BASE64_LINE = 76  # RFC 2045 section 6.8
# 57 octets make one line of base64. A thousand lines at a time: an attachment is never there once more as digits.
_BLOCK_BYTES = 57 * 1024
_PLAIN = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_HIGH = bytes(range(0x80, 0x100))
# binascii writes 77 columns where white space that ends a line stands in the last one.
_QP_TOO_LONG = re.compile(rb"^(.{74})(=20|=09)\r$", re.MULTILINE)


def lightest(text: str) -> tuple[bytes, bytes]:
    """Return the lightest transfer encoding that carries `text`, and the octets in it."""
    octets, high = _octets(text)
    lines = octets.split(b"\n")
    canonical = b"\r\n".join(lines)  # RFC 2045 section 6.6: line ends are CRLF before anything is encoded
    if not high and max(map(len, lines)) <= MAX_LINE:
        return b"7bit", canonical
    # Quoted-printable makes three octets of one that is not ASCII, base64 four of any three.
    if high * 2 < len(octets) // 3:
        return b"quoted-printable", _quoted_printable(canonical)
    return b"base64", b"".join(base64_blocks(canonical))


def base64_blocks(data: bytes) -> Iterator[bytes]:
    """Yield `data` in base64, some lines at a time, each line ended by CRLF."""
    for start in range(0, len(data), _BLOCK_BYTES):
        digits = b2a_base64(data[start : start + _BLOCK_BYTES], newline=False)
        lines = [digits[i : i + BASE64_LINE] for i in range(0, len(digits), BASE64_LINE)]
        lines.append(b"")
        yield b"\r\n".join(lines)


def _octets(text: str) -> tuple[bytes, int]:
    """Return `text` in UTF-8, LF its only control beside TAB, and how many octets are not ASCII."""
    try:
        octets = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        octets = plain(text).encode()
    # A template may write what the domain would have cleaned; deleting octets in C is a cheap way to see it.
    odd = octets.translate(None, _PLAIN)
    if odd.translate(None, _HIGH):
        octets = plain(text).encode()
        odd = octets.translate(None, _PLAIN)
    return octets, len(odd)


def _quoted_printable(canonical: bytes) -> bytes:
    encoded = b2a_qp(canonical)
    if b"=20\r\n" in encoded or b"=09\r\n" in encoded:
        return _QP_TOO_LONG.sub(rb"\1=\r\n\2\r", encoded)
    return encoded
