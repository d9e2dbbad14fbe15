"""Compressed bodies: what gzip and deflate hold, within the limit of a body; anything else stays as it came."""

import zlib
from collections.abc import Mapping

from app.httpkit.problems import bad_request, content_too_large
from app.intake.attachments import OCTETS
from app.intake.incoming import Rejected

# RFC 9110 section 8.4.1. zlib.MAX_WBITS + 32 reads both gzip and zlib.
INFLATABLE = frozenset({"gzip", "x-gzip", "deflate"})
EITHER = zlib.MAX_WBITS + 32


def decoded_body(body: bytes, fields: Mapping[bytes, bytes], limit: int) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Return the body without its Content-Encoding, and the header fields that go with it.

    One in a coding that is not known stays what it is, a file. Raises Rejected if it is broken or too large.
    """
    coding = fields[b"content-encoding"].decode("latin-1").strip().lower()
    if coding in {"identity", ""}:
        return body, fields
    if coding not in INFLATABLE:
        return body, {**fields, b"content-type": OCTETS.encode()}
    inflater = zlib.decompressobj(EITHER)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise Rejected(bad_request(f"The body is not what its Content-Encoding says: {coding}.")) from None
    if len(inflated) > limit:
        raise Rejected(content_too_large(limit))
    if not inflater.eof:
        raise Rejected(bad_request("The compressed body ends before its end."))
    return inflated, fields
