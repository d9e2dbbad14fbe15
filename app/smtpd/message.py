"""The text of a mail as DATA brings it: collected up to the final dot, in bounded memory."""

from collections.abc import Callable

END = b"\r\n.\r\n"  # RFC 5321 section 4.1.1.4; nothing less ends a message, or a second one could be smuggled in


def _always(_size_bytes: int) -> bool:
    return True


class MessageCollector:
    """Collects one message. Past `limit` bytes it keeps looking for the end, but keeps nothing else.

    Before it keeps more it asks `has_room` with the bytes that it would hold; once told no, it keeps nothing either.
    """

    def __init__(self, limit: int, has_room: Callable[[int], bool] = _always) -> None:
        self._limit = limit
        self._has_room = has_room
        # The line end of the DATA command: with it the first line is like every other.
        self._kept = bytearray(b"\r\n")
        self.too_large = False
        self.crowded_out = False
        self.received = 0  # bytes of the message that have come in

    def feed(self, data: bytes) -> bytes | None:
        """Take `data`; return what followed the end of the message, or None while it goes on."""
        self.received += len(data)
        seam = max(0, len(self._kept) - len(END) + 1)
        self._kept += data
        end = self._kept.find(END, seam)
        size = end if end >= 0 else len(self._kept) - len(END)
        self.too_large = self.too_large or size > self._limit
        if end >= 0:
            rest = bytes(self._kept[end + len(END) :])
            del self._kept[end + 2 :]
            return rest
        if not self.too_large and not self.crowded_out:
            self.crowded_out = not self._has_room(len(self._kept))
        if self.too_large or self.crowded_out:
            del self._kept[: 1 - len(END)]
        return None

    def message(self) -> bytes:
        """Return the message that has ended, with the dots removed that the client doubled."""
        # RFC 5321 section 4.5.2
        return bytes(self._kept.replace(b"\r\n.", b"\r\n")[2:])
