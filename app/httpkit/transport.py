"""The transport that uvicorn is given: the real one, but closed in such a way that the last answer is read."""

import asyncio
from collections.abc import Callable


class CourteousTransport(asyncio.Transport):
    """Writes go straight through; a close goes to the guard, which may have to let the client finish first."""

    def __init__(self, transport: asyncio.Transport, *, close: Callable[[], None]) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]  # spares each request two calls
        self._transport = transport
        self._close = close
        self._closing = False

    def is_closing(self) -> bool:
        """Tell whether the last answer has been written, or the connection is lost."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """End the connection after what was written so far."""
        if not self._closing:
            self._closing = True
            self._close()
