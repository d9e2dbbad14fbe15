"""A progress bar, for people who wait at a terminal."""

import time
from collections.abc import Callable
from typing import Self, TextIO

QUICK_S = 1.0  # what is over sooner needs no bar
CELLS = 30


class ProgressBar:
    """Draws on `stream` once the work has taken a while, if it is a terminal; leaves nothing behind."""

    def __init__(self, stream: TextIO, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._began = monotonic()
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._draw("")

    def show(self, fraction: float, text: str) -> None:
        """Draw how much is done, from 0 to 1, and `text` behind it."""
        if not self._stream.isatty() or self._monotonic() - self._began < QUICK_S:
            return
        share = min(1.0, max(0.0, fraction))
        full = round(share * CELLS)
        self._draw(f"[{'#' * full}{'.' * (CELLS - full)}] {share:4.0%}  {text}")

    def _draw(self, line: str) -> None:
        self._drawn = True
        self._stream.write(f"\r\x1b[K{line}")  # ECMA-48 section 8.3.41: EL erases what was on the line
        self._stream.flush()
