"""An event loop in a thread, for tests whose client is a plain blocking socket."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")
HANG = 30  # seconds; far beyond what any of these tests takes


class BackgroundLoop:
    """Runs coroutines for the test's own thread, and fails the test for errors that nobody awaited."""

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self._loop = new_loop()
        self._faults: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _loop, context: self._faults.append(context))
        self._thread = threading.Thread(target=self._loop.run_forever)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what `coroutine` returns, run in the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(HANG)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HANG)
        self._loop.close()
        assert self._faults == []
