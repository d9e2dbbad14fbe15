"""What a command wrote, in bounded memory: its beginning and its end.

In memory and not in a file, for a job that fails because the disk is full is one that must be told.
"""

import re

from app.domain.text import cut_middle, plain

LIMIT = 4 << 20  # bytes that are kept; in base64 this stays below what nearly all relays take in one mail
# ECMA-48 section 5.4, control sequences: colours, and cursors that move.
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class OutputLog:
    """Takes chunks of output as they come. Of more than `limit` bytes the middle is dropped: the end matters."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._head_limit = limit // 4
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self.size_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.size_bytes += len(chunk)
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._tail += chunk
        if len(self._tail) > 2 * self._tail_limit:  # seldom, for it moves all that is kept
            del self._tail[: -self._tail_limit]

    def whole(self) -> bytes:
        """Return all of the output, or its beginning, a line that says what is missing, and its end."""
        tail = bytes(self._tail[-self._tail_limit :])
        missing = self.size_bytes - len(self._head) - len(tail)
        note = f"\n\n[... {missing} bytes are left out here ...]\n\n".encode() if missing else b""
        return bytes(self._head) + note + tail

    def last_lines(self, count: int, *, limit_bytes: int) -> str:
        """Return the last lines as a terminal would show them, in at most `limit_bytes` of UTF-8."""
        if not count:
            return ""
        text = self.whole().decode(errors="backslashreplace").removesuffix("\n")
        lines = [_shown(line) for line in text.split("\n")[-count:]]
        return cut_middle(plain("\n".join(lines)), limit_bytes)


def _shown(line: str) -> str:
    """A carriage return begins the line anew, as progress bars do."""
    return _CONTROL_SEQUENCE.sub("", line.removesuffix("\r").rpartition("\r")[2])
