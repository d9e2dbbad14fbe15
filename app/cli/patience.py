"""How long a command waits for a daemon that cannot be reached, and what ends the wait early: a signal."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.cli.client import ClientError
from app.cli.ending import TEMPORARY

FIRST_PAUSE_S = 0.5  # a daemon that restarts is back in a second
LONGEST_PAUSE_S = 5.0
ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT})


def pause_or_signal(seconds: float) -> bool:
    """Wait so long; return True at once when a held signal comes."""
    return signal.sigtimedwait(ENDING_SIGNALS, seconds) is not None


@contextmanager
def signals_held() -> Iterator[None]:
    """Keep signals that end this process waiting, so that none comes between an alert and its file.

    Those that came meanwhile are forgotten: they have ended the wait, and the command ends anyway.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        while signal.sigtimedwait(ENDING_SIGNALS, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Patience:
    """Counts down `wait_s` seconds from the start, over all attempts together."""

    def __init__(
        self,
        wait_s: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] = pause_or_signal,
    ) -> None:
        self._monotonic = monotonic
        self._pause = pause
        self._until = monotonic() + wait_s
        self._next_pause_s = FIRST_PAUSE_S

    def lasts(self, error: ClientError) -> bool:
        """Wait before another attempt; return False if there is to be none."""
        left = self._until - self._monotonic()
        if error.code != TEMPORARY or left <= 0:
            return False
        pause_s = min(max(self._next_pause_s, error.retry_after_s), left)
        self._next_pause_s = min(self._next_pause_s * 2, LONGEST_PAUSE_S)
        if self._pause(pause_s):
            self._until = self._monotonic()
            return False
        return True
