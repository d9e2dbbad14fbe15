"""The content of a mail as it goes over the wire after DATA."""

import re

_LINE_END = re.compile(rb"\r\n|\r|\n")
END = b".\r\n"


def encode_content(data: bytes) -> bytes:
    """Return `data` with CRLF line ends, leading dots doubled, and the final dot after it."""
    # RFC 5321 section 2.3.8: no bare CR or LF leaves here, so nobody can smuggle a second mail past us.
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        data = _LINE_END.sub(b"\r\n", data)
    # RFC 5321 section 4.5.2: double a leading dot.
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    # RFC 5321 section 4.1.1.4: the CRLF before the final dot ends the last line; no empty line is added.
    return stuffed + END if not data or data.endswith(b"\r\n") else stuffed + b"\r\n" + END
