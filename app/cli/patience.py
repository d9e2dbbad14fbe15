"""How long a command waits for a daemon that cannot be reached, and what ends the wait early: a signal."""

import time
from collections.abc import Callable

from app.cli.client import ClientError
from app.cli.ending import TEMPORARY
from app.cli.held_signals import pause_or_signal

FIRST_PAUSE_S = 0.5  # a daemon that restarts is back in a second
LONGEST_PAUSE_S = 5.0


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
        self._until = monotonic() + (wait_s if wait_s > 0 else 0.0)  # not-a-number is no time either
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
