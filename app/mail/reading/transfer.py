"""Transfer encodings back to octets (RFC 2045 section 6): what can be decoded is, and the rest is told."""

from app.mail.reading.base64_octets import decode_base64
from app.mail.reading.quoted_printable import decode_quoted_printable
from app.mail.reading.uuencode import find_files

BROKEN = {
    "base64": "the base64 of a part is broken; what could be decoded was",
    "quoted-printable": "the quoted-printable of a part is broken; what could be decoded was",
    "uuencode": "the uuencode of a part is broken; what could be decoded was",
}
UNKNOWN_ENCODING = "a transfer encoding is not known, so the part was left as it is"
_IDENTITY = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit"})
_UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})  # of no standard


def decode_transfer(data: bytes, encoding: str) -> tuple[bytes, str]:
    """Return the octets that `data` carries, and a defect, "" for none. `encoding` is in lower case."""
    if encoding in _IDENTITY:
        return data, ""
    if encoding == "base64":
        octets, sound = decode_base64(data)
    elif encoding == "quoted-printable":
        octets, sound = decode_quoted_printable(data)
    elif encoding in _UUENCODE:
        encoding = "uuencode"
        files = find_files(data)
        octets, sound = (files[0].data, files[0].sound) if files else (data, False)
    else:
        return data, UNKNOWN_ENCODING
    return octets, "" if sound else BROKEN[encoding]
