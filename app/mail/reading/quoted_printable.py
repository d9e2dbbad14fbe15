"""Quoted-printable as it comes in mails: with wrong escapes, bare line ends, or white space added by relays."""

import re
from binascii import a2b_qp
from collections.abc import Iterator

# Decoded by pieces, because each call of the decoder holds all other threads up.
PIECE = 64 * 1024
# RFC 2045 section 6.7 rule 3: a relay has added it. Looked at once for each run, so that time stays linear.
_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
# Where a line of any length may be cut: behind an escape, or what cannot be a part of one.
_SEAM = re.compile(rb"=[0-9A-Fa-f]{2}|[^ \t=\r\n]{3}")
_WRONG_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")


def decode_quoted_printable(data: bytes) -> tuple[bytes, bool]:
    """Return what `data` encodes, and whether it is sound. A wrong escape stands for itself (rule 1)."""
    decoded = bytearray()
    sound = True
    for piece in _pieces(data):
        lines = piece
        if b" \n" in lines or b"\t\n" in lines or b" \r" in lines or b"\t\r" in lines or lines[-1:] in b" \t":
            lines = _TRAILING.sub(b"", lines)
        if b"=\r" in lines:  # the decoder would drop what follows one without LF
            lines = lines.replace(b"=\r", b"=\r\n").replace(b"=\r\n\n", b"=\r\n")
        sound = sound and _WRONG_ESCAPE.search(lines) is None
        decoded += a2b_qp(lines)
    return bytes(decoded), sound


def _pieces(data: bytes) -> Iterator[bytes]:
    """Yield `data` in pieces that end with a line, or within one that is longer than any may be (rule 5)."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + PIECE, start + 2 * PIECE) + 1
        if not end:
            seam = _SEAM.search(data, start + 2 * PIECE, start + 3 * PIECE)
            end = seam.end() if seam else start + 3 * PIECE
        yield data[start:end]
        start = end
