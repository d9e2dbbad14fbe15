"""Waiting in a test that blocks: until something is so, or far too much time has gone."""

import socket
import time
from collections.abc import Callable

HANG = 30.0  # seconds; what is waited for takes less than one
PAUSE = 0.02


def until(condition: Callable[[], bool], *, why: Callable[[], object] = lambda: "", longest: float = HANG) -> None:
    """Return once `condition` holds; fail with what `why` returns if it never does, for `longest` seconds."""
    deadline = time.monotonic() + longest
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(PAUSE)


def until_it_answers(port: int, *, why: Callable[[], object] = lambda: "") -> None:
    """Return once a server on this port of loopback takes connections."""
    until(lambda: _answers(port), why=why)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=HANG).close()
    except ConnectionRefusedError:
        return False
    return True
