"""Base64 as programs and people write it: either alphabet, broken into lines or not, padded or not."""

import binascii
import string

# Decoded by pieces, because each call of the decoder holds all other threads up.
PIECE = 64 * 1024

_STANDARD = bytes.maketrans(b"-_", b"+/")  # RFC 4648 section 5 to section 4
_WHITE_SPACE = string.whitespace.encode()


def decode_base64(text: str) -> bytes:
    """Return what `text` encodes (RFC 4648 sections 4 and 5). Raises ValueError."""
    text = text.rstrip(f"={string.whitespace}")
    if "=" in text:
        raise ValueError("padding stands in the middle")
    decoded = bytearray()
    digits = b""
    for start in range(0, len(text), PIECE):
        digits += text[start : start + PIECE].encode("ascii").translate(_STANDARD, _WHITE_SPACE)
        whole = len(digits) - len(digits) % 4
        decoded += binascii.a2b_base64(digits[:whole], strict_mode=True)
        digits = digits[whole:]
    decoded += binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
    return bytes(decoded)
