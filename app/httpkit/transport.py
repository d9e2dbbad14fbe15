"""The transport that uvicorn is given: one write per answer, and a close that lets the last answer be read."""

import asyncio
from collections.abc import Callable

MAX_HELD = 1024  # bytes in one piece: a head, or the body of an answer to a post


class CourteousTransport(asyncio.Transport):
    """What is written in one turn of the loop leaves together; a close goes to the guard.

    uvicorn writes head and body of an answer apart, and a system call costs more than all of our own work for an
    alert. The guard decides on a close because the client may have to finish first.
    """

    def __init__(
        self, transport: asyncio.Transport, *, loop: asyncio.AbstractEventLoop, close: Callable[[], None]
    ) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._close = close
        self._closing = False
        self._held: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write `data`, if it is little not before the end of this turn of the loop."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(bytes(data))
        if len(data) > MAX_HELD:
            self.flush()  # an endless answer must come to wait for its reader

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            data, self._held = b"".join(self._held), []
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Tell whether the last answer has been written, or the connection is lost."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """End the connection after what was written so far."""
        if not self._closing:
            self._closing = True
            self.flush()
            self._close()
