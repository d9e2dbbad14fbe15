"""The thread that a session's blocking client lives in, and the hold that the event loop keeps on its connection."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class ImapThread:
    """Runs one call after another. Whoever waits for one may be cancelled: the call goes on to its end.

    Each call has deadlines of its own, and `end` cuts the connection, so the thread never stays.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="imap")
        # A descriptor of the loop's own: the thread may close its one at any moment, and the number be used again.
        self._wire = connection.dup()
        self._heard = asyncio.Event()
        self._ended = False

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns. Raises what it raises."""
        return await self._loop.run_in_executor(self._pool, call)

    async def readable(self, longest_s: float) -> None:
        """Return when the server says something or hangs up, after `longest_s` at the latest. No call may run."""
        self._heard.clear()
        self._loop.add_reader(self._wire, self._heard.set)
        try:
            async with asyncio.timeout(longest_s):
                await self._heard.wait()
        except TimeoutError:
            pass
        finally:
            if not self._ended:
                self._loop.remove_reader(self._wire)

    def end(self, last: Callable[[], object]) -> None:
        """Cut the connection, which ends at once whatever still runs, and run `last` behind it; nobody waits."""
        self._ended = True
        self._loop.remove_reader(self._wire)
        self._heard.set()
        self._cut()
        self._wire.close()
        self._pool.submit(last)
        self._pool.shutdown(wait=False)

    def _cut(self) -> None:
        with contextlib.suppress(OSError):  # it is down already
            self._wire.shutdown(socket.SHUT_RDWR)  # of the connection, not of this descriptor alone
