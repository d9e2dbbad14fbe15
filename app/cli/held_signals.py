"""Signals that end a command, held back while it hands an alert in: they end the wait and not the process."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT})


def signal_came() -> bool:
    """Tell whether a held signal waits; always False outside `signals_held`, where it does its work at once."""
    return not ENDING_SIGNALS.isdisjoint(signal.sigpending())


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
