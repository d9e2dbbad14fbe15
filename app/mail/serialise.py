"""From a text and an HTML part to the octets of a mail: CRLF, all ASCII, no line too long."""

import re
from binascii import b2a_base64, b2a_qp

from app.domain.text import plain

MAX_LINE = 998  # RFC 5322 section 2.1.1, CRLF not included
BASE64_LINE = 76  # RFC 2045 section 6.8
_PLAIN = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_HIGH = bytes(range(0x80, 0x100))
# binascii writes 77 columns where white space that ends a line stands in the last one.
_QP_TOO_LONG = re.compile(rb"^(.{74})(=20|=09)\r$", re.MULTILINE)


def alternative(*, headers: str, boundary: str, text: str, html: str) -> bytes:
    """Return the mail with both parts as multipart/alternative, the plainest first (RFC 2046 section 5.1.4).

    `headers` are complete lines without those that describe the content. `boundary` must be one that the
    parts cannot know: they are not searched for it.
    """
    head = f'{headers}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    delimiter = f"--{boundary}".encode()
    return b"".join((
        head.encode("ascii", "replace"),
        delimiter,
        _part(b"text/plain", text),
        delimiter,
        _part(b"text/html", html),
        delimiter,
        b"--\r\n",
    ))  # fmt: skip


def _part(media_type: bytes, text: str) -> bytes:
    encoding, body = _encoded(text if text.endswith("\n") else text + "\n")
    return (
        b"\r\nContent-Type: %b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b\r\n"
        % (media_type, encoding, body)
    )  # fmt: skip


def _encoded(text: str) -> tuple[bytes, bytes]:
    """Return the lightest transfer encoding that carries `text` (RFC 2045 section 6), and the octets in it."""
    octets, high = _octets(text)
    lines = octets.split(b"\n")
    canonical = b"\r\n".join(lines)  # RFC 2045 section 6.6: line ends are CRLF before anything is encoded
    if not high and max(map(len, lines)) <= MAX_LINE:
        return b"7bit", canonical
    # Quoted-printable makes three octets of one that is not ASCII, base64 four of any three.
    if high * 2 < len(octets) // 3:
        return b"quoted-printable", _quoted_printable(canonical)
    return b"base64", _base64(canonical)


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


def _base64(canonical: bytes) -> bytes:
    digits = b2a_base64(canonical, newline=False)
    return b"\r\n".join([digits[i : i + BASE64_LINE] for i in range(0, len(digits), BASE64_LINE)])
