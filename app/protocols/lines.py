"""Lines cut out of a stream of bytes, with a cap on their length."""

from app.domain.errors import ProtocolError


class LineBuffer:
    """Bytes in, whole lines out. Holds at most one unfinished line and what was fed last."""

    __slots__ = ("_at", "_data", "_max_line")

    def __init__(self, *, max_line: int) -> None:
        self._max_line = max_line  # in bytes, line end included
        self._data = b""
        self._at = 0

    def __bool__(self) -> bool:
        """Whether bytes wait here, be it a whole line or a part of one."""
        return self._at < len(self._data)

    def __len__(self) -> int:
        """How many bytes wait here."""
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Add what the peer sent."""
        self._data = self._data[self._at :] + data if self else data
        self._at = 0

    def next_line(self) -> bytes | None:
        """Return the next line without its CRLF (or bare LF), or None until it is whole.

        Raises ProtocolError for a line over the cap, whether its end has come or not.
        """
        end = self._data.find(b"\n", self._at)
        length = (end + 1 if end >= 0 else len(self._data)) - self._at
        if length > self._max_line:
            raise ProtocolError(f"the peer sent a line of more than {self._max_line} bytes")
        if end < 0:
            return None
        start, self._at = self._at, end + 1
        return self._data[start : end - 1 if end > start and self._data[end - 1] == 0x0D else end]

    def starts_with(self, beginning: bytes) -> bool:
        """Whether what waits here begins so."""
        return self._data.startswith(beginning, self._at)

    def take(self, size_bytes: int) -> bytes:
        """Return this many of the bytes that wait here, fewer where there are fewer."""
        start, self._at = self._at, min(self._at + size_bytes, len(self._data))
        return self._data[start : self._at]

    def take_until(self, end: bytes) -> bytes | None:
        """Return what comes before `end`, and drop `end` itself; None for as long as it is not there."""
        found = self._data.find(end, self._at)
        if found < 0:
            return None
        start, self._at = self._at, found + len(end)
        return self._data[start:found]

    def take_all_but(self, size_bytes: int, *, whole: bytes) -> bytes:
        """Return all but the last bytes; where this would cut a `whole` of several bytes, that stays here too."""
        end = max(self._at, len(self._data) - size_bytes)
        margin = len(whole) - 1
        cut = self._data.find(whole, max(self._at, end - margin), end + margin)
        start, self._at = self._at, cut if cut >= 0 else end
        return self._data[start : self._at]
