"""A link whose far end is a list of pieces: each is heard when the client waits for it, and then comes the end."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.net.streams import Stream


class _NoTransport(asyncio.Transport):
    """Takes everything and keeps what was said."""

    def __init__(self, protocol: Stream) -> None:
        super().__init__({"peername": ("127.0.0.1", 25), "sockname": ("127.0.0.1", 40000)})
        self.said = bytearray()
        self._protocol = protocol
        self._closed = False

    def is_closing(self) -> bool:
        return self._closed

    def write(self, data: Any) -> None:
        self.said += data

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self._closed = True
        self._protocol.connection_lost(None)


class MemoryStream(Stream):
    """Hears the pieces one by one; an empty piece makes the next two come at once."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        super().__init__()
        self.pieces = tuple(pieces)
        self._unheard = list(pieces)
        self._said = _NoTransport(self)
        self.connection_made(self._said)

    @property
    def said(self) -> bytes:
        """What the client has said."""
        return bytes(self._said.said)

    async def read(self, deadline: float) -> bytes:
        """Hear the next piece, as if it had come just now; at the end of them all the link is closed."""
        if not self.has_input:
            self._hear()
        return await super().read(deadline)

    def _hear(self) -> None:
        while self._unheard:
            piece = self._unheard.pop(0)
            if piece:
                return self.data_received(piece)
            if self._unheard and self._unheard[0]:
                self.data_received(self._unheard.pop(0))
        return self.eof_received()
