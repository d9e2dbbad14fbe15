"""Compressed bodies: what gzip and deflate hold, within the limit of a body; anything else stays as it came."""

import zlib
from dataclasses import dataclass, replace

from app.httpkit.problems import bad_request, content_too_large
from app.intake.attachments import OCTETS
from app.intake.file_bodies import is_binary
from app.intake.incoming import IncomingBody, Rejected

# RFC 9110 section 8.4.1. Each coding with the wbits of zlib that read it, in the order in which they are tried: what
# is called gzip may be deflate, and by mistake many have sent deflate without the frame of zlib (section 8.4.1.2).
GZIP, ZLIB, RAW = zlib.MAX_WBITS + 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
WINDOWS = {"gzip": (GZIP, ZLIB), "x-gzip": (GZIP, ZLIB), "deflate": (ZLIB, GZIP, RAW)}
PIECE = 64  # bytes that are inflated at once: a flaw costs what comes out of so many, and what follows
MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
MAX_MEMBERS = 1000  # of one gzip body (RFC 1952 section 2.2): whoever appends makes some
NOT_COMPRESSED = "the body is not compressed, although its Content-Encoding says {}; it is taken as it came"
BROKEN = "the compressed body could not be inflated; it is attached as it came"
CUT_OFF = "the compressed body is broken or cut off; what could be inflated of it is taken"
SURPLUS = "after the end of the compressed body came more, which is left out"


@dataclass(frozen=True, slots=True)
class _Inflated:
    """What came out. `is_whole` says that the stream came to its end, `warning` what is wrong with it all the same."""

    data: bytes
    is_whole: bool
    warning: str = ""


def decoded(incoming: IncomingBody, limit: int) -> tuple[IncomingBody, tuple[str, ...]]:
    """Return the request with its body inflated, and what the sender should know of it.

    One in a coding that is not known stays what it is, a file, and so does what cannot be inflated. Raises Rejected if
    more than `limit` bytes come out.
    """
    coding = incoming.fields[b"content-encoding"].decode("latin-1").strip().lower()
    if coding in {"identity", ""}:
        return incoming, ()
    if coding not in WINDOWS:
        return _as_file(incoming, OCTETS), ()
    for window in WINDOWS[coding]:
        inflated = _inflate(incoming.body, window, limit)
        if inflated.is_whole or (inflated.data and window != RAW):  # without a frame nearly anything begins well
            return replace(incoming, body=bytes(inflated.data)), (inflated.warning,) if inflated.warning else ()
    if is_binary(incoming.body):
        is_gzip = incoming.body.startswith(MAGIC)
        return _as_file(incoming, "application/gzip" if is_gzip else OCTETS), (BROKEN,)
    return incoming, (NOT_COMPRESSED.format(coding),)


def _as_file(incoming: IncomingBody, content_type: str) -> IncomingBody:
    return replace(incoming, fields={**incoming.fields, b"content-type": content_type.encode()})


def _inflate(body: bytes, window: int, limit: int) -> _Inflated:
    """Inflate one stream, or of gzip all members that follow each other (RFC 1952 section 2.2)."""
    data = bytearray()
    inflater, members = zlib.decompressobj(window), 1
    for start in range(0, len(body), PIECE):
        rest = body[start : start + PIECE]
        while rest:
            if inflater.eof:
                rest = rest.lstrip(b"\0")  # what fills up the blocks of a tape
                if not rest:
                    break
                if window != GZIP or not MAGIC.startswith(rest[:2]):
                    return _Inflated(bytes(data), is_whole=True, warning=SURPLUS)
                inflater, members = zlib.decompressobj(window), members + 1
            try:
                data += inflater.decompress(rest, limit + 1 - len(data))
            except zlib.error:
                return _Inflated(bytes(data), is_whole=False, warning=CUT_OFF)
            if len(data) > limit:
                raise Rejected(content_too_large(limit))
            if members > MAX_MEMBERS:
                raise Rejected(bad_request(f"The body has more than {MAX_MEMBERS} gzip members."))
            rest = inflater.unused_data
    return _Inflated(bytes(data), is_whole=inflater.eof, warning="" if inflater.eof else CUT_OFF)
