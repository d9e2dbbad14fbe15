"""A secret that is easy to find again, whatever became of it on its way."""

from base64 import b64encode
from collections.abc import Iterable

# With what a URL, a JSON string, a regular expression or a repr() would write in another way.
CANARY = 'c4n4ry"/+\\%:@s3cret'
WORDS = (b"c4n4ry", b"s3cret")


def _in_base64(offset: int) -> bytes:
    """Return the digits that CANARY has in base64 when it stands `offset` bytes behind a multiple of three."""
    digits = b64encode(bytes(offset) + CANARY.encode())
    first = -(-offset * 8 // 6)  # the digits before it hold bits of something else too
    return digits[first : (offset + len(CANARY)) * 8 // 6]


TRACES = (*WORDS, *(_in_base64(offset) for offset in range(3)))


def traces_in(said: Iterable[bytes]) -> list[bytes]:
    """Return every piece in which CANARY, a part of it, or its base64 form shows."""
    return [piece for piece in said if any(trace in piece or trace in piece.lower() for trace in TRACES)]
