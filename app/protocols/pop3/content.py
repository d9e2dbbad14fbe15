"""The lines behind a +OK, such as a mail: collected in bulk as they come, with a cap."""

from app.domain.errors import ProtocolError
from app.protocols.lines import LineBuffer

# RFC 1939 section 3. Only CRLF ends a line: a mail may hold a bare LF and a dot behind it, which no server doubles,
# and whatever follows that would pass for the server's next answers.
END = b"\r\n.\r\n"
DOUBLED, SINGLE = b"\r\n..", b"\r\n."
# What is beyond the cap of a mail is read and dropped, so that the session can go on; without end it does not.
MAX_DROPPED = 1 << 30  # bytes; providers take mails of up to 150 MB


class Content:
    """One multi-line answer. Holds at most `max_bytes` of it, counted with dots undone; more must be allowed for."""

    __slots__ = ("_begun", "_max_bytes", "_max_dropped", "_parts", "is_cut", "size_bytes")

    def __init__(self, max_bytes: int, *, may_be_cut: bool) -> None:
        self.size_bytes = 0  # of what has come
        self.is_cut = False  # it is larger than the cap
        self._max_bytes = max_bytes
        self._max_dropped = MAX_DROPPED if may_be_cut else 0
        self._begun = False
        self._parts: list[bytes] = []

    def take_from(self, buffer: LineBuffer) -> bool:
        """Take what has come of it; return whether that was its end. Raises ProtocolError for too much of it."""
        if not self._begun and not self._begin(buffer):
            return self._begun
        part = buffer.take_until(END)
        if part is not None:
            self._add(part + b"\r\n")
            return True
        # The last bytes may be the beginning of the end, and doubled dots must not be cut in two.
        if part := buffer.take_all_but(len(END) - 1, whole=DOUBLED):
            self._add(part)
        return False

    def whole(self) -> bytes:
        """Return it, or the beginning of it if it is cut."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _begin(self, buffer: LineBuffer) -> bool:
        """Return whether lines follow; the first has no CRLF before it by which a dot is found."""
        if not buffer.starts_with(b"."):
            self._begun = bool(buffer)
            return self._begun
        if len(buffer) < 3:
            return False
        self._begun = True
        if buffer.starts_with(b".\r\n"):
            buffer.take(3)
            return False
        if buffer.starts_with(b".."):
            buffer.take(1)
        return True

    def _add(self, part: bytes) -> None:
        part = part.replace(DOUBLED, SINGLE)
        room = self._max_bytes - self.size_bytes
        self.size_bytes += len(part)
        if len(part) > room:
            self.is_cut = True
            part = part[: max(0, room)]
        if self.size_bytes > self._max_bytes + self._max_dropped:
            raise ProtocolError(f"the server sends more than {self._max_bytes + self._max_dropped} bytes as one answer")
        if part:
            self._parts.append(part)
