"""Patience: pauses that grow, the daemon's own wish, and an end."""

import pytest

from app.cli.client import ClientError
from app.cli.ending import DENIED, TEMPORARY
from app.cli.patience import Patience

DOWN = ClientError("down", TEMPORARY)


class Time:
    """Passes only in pauses; the one of this number, counted from 1, is broken off by a signal."""

    def __init__(self, signal_at: int = 0) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._signal_at = signal_at

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += seconds
        return len(self.pauses) == self._signal_at


def patience(time: Time, wait_s: float) -> Patience:
    return Patience(wait_s, monotonic=lambda: time.now, pause=time.pause)


def test_pauses_grow_and_the_last_ends_in_time() -> None:
    """From half a second to five, and the last attempt comes when the time is over."""
    time = Time()
    waiting = patience(time, 20)
    while waiting.lasts(DOWN):
        pass
    assert time.pauses == [0.5, 1, 2, 4, 5, 5, 2.5]


def test_the_daemon_may_ask_for_a_longer_pause() -> None:
    """Retry-After is kept, but never past the end."""
    time = Time()
    waiting = patience(time, 15)
    asked = ClientError("busy", TEMPORARY, retry_after_s=10)
    assert waiting.lasts(asked)
    assert waiting.lasts(asked)
    assert not waiting.lasts(asked)
    assert time.pauses == [10, 5]


@pytest.mark.parametrize(("error", "wait_s"), [(ClientError("no", DENIED), 60), (DOWN, 0)], ids=["denied", "no time"])
def test_it_does_not_wait_in_vain(error: ClientError, wait_s: float) -> None:
    """What another attempt does not mend is not tried again."""
    time = Time()
    assert not patience(time, wait_s).lasts(error)
    assert time.pauses == []


def test_a_signal_ends_it() -> None:
    """After it nothing is waited for any more."""
    time = Time(signal_at=2)
    waiting = patience(time, 60)
    assert [waiting.lasts(DOWN) for _ in range(3)] == [True, False, False]
    assert len(time.pauses) == 2
