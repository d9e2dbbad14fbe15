"""Base64 as it comes in mails: with anything between its digits, padded in the middle, or cut off."""

import string
from binascii import a2b_base64

# Decoded by pieces, because each call of the decoder holds all other threads up.
PIECE = 64 * 1024
# Signs of padding in one part; a file of 16 MiB that is padded in each line has about as many. Later ones count for
# nothing.
MAX_PADDING = 500_000
_DIGITS = (string.ascii_letters + string.digits + "+/=").encode()
_OTHER = bytes(sorted(set(range(256)) - set(_DIGITS)))
_WHITE_SPACE = string.whitespace.encode()


def decode_base64(data: bytes) -> tuple[bytes, bool]:
    """Return what `data` encodes, and whether it is sound (RFC 2045 section 6.8).

    What is no digit is passed over, as the RFC asks. Padding ends a run of digits, and another run may follow,
    which some programs make by writing one piece behind the other.
    """
    decoded = bytearray()
    sound = True
    left = b""
    padding = 0
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        digits = piece.translate(None, _OTHER)
        sound = sound and len(digits) == len(piece.translate(None, _WHITE_SPACE))
        *ended, left = (left + digits).split(b"=", max(MAX_PADDING - padding, 0))
        if b"=" in left:
            left = left.replace(b"=", b"")
            sound = False
        padding += len(ended)
        for run in filter(None, ended):
            sound = _decode_run(run, decoded) and sound
        whole = len(left) - len(left) % 4
        decoded += a2b_base64(left[:whole])
        left = left[whole:]
    sound = _decode_run(left, decoded) and sound  # that its padding is missing loses nothing
    return bytes(decoded), sound


def _decode_run(run: bytes, decoded: bytearray) -> bool:
    """Append what the run holds; return whether no digit is left over."""
    odd = len(run) % 4 == 1  # one digit is less than an octet
    if odd:
        run = run[:-1]
    decoded += a2b_base64(run + b"=" * (-len(run) % 4))
    return not odd
