"""Text that is piped into a command, in bounded memory: a log of gigabytes must not fill this machine."""

import sys
from typing import BinaryIO

from app.domain.text import plain


def piped_text(limit: int) -> str:
    """Return what stdin holds, in at most `limit` bytes; "" if it is closed or a terminal."""
    if sys.stdin is None or sys.stdin.isatty():  # a closed stdin is None; a terminal would wait for typing
        return ""
    return read_bounded(sys.stdin.buffer, limit)


def read_bounded(stream: BinaryIO, limit: int) -> str:
    """Return the text of `stream` in at most `limit` bytes of UTF-8, its middle cut: the end of a log matters.

    Bytes that are no UTF-8 stay readable as \\xNN.
    """
    start = stream.read(limit)
    end, total = b"", len(start)
    while chunk := stream.read(limit):
        end = (end + chunk)[-limit:]
        total += len(chunk)
    whole = _readable(start)
    if not end and len(whole) <= limit:
        return whole.decode()
    note = f"\n\n[… {total} bytes in all, the middle was cut …]\n\n"
    room = limit - len(note.encode())
    head = whole[: room // 3]
    tail = _readable((start + end)[-limit:])[-(room - room // 3) :]
    return head.decode(errors="ignore") + note + tail.decode(errors="ignore")


def _readable(data: bytes) -> bytes:
    # Control characters go now: as JSON escapes they would swell beyond the size limit of a body.
    return plain(data.decode(errors="backslashreplace")).encode()
