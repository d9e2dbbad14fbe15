"""Logs requests that are refused: without secrets, and not so often that a stranger can fill the disk."""

import structlog

from app.domain.ports import Clock
from app.httpkit.failures import WINDOW_SECONDS, Failures
from app.httpkit.limits import Scope

MAX_LINES = 10  # for an address and minute: enough to see what is wrong with a client
MAX_LOGGED_PATH = 200  # tells what was wanted, and cannot fill a disk

log = structlog.get_logger()


class RefusalLog:
    """Writes a line for each refusal; of an address that is refused again and again only the first of a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused = Failures()

    def note(self, scope: Scope, status: int) -> None:
        """Log that the request of `scope` is answered `status`."""
        client = client_of(scope)
        number = self._refused.count(client, self._clock.monotonic())
        if number <= MAX_LINES:
            method: str = scope["method"]
            log.warning("request_refused", status=status, method=method, path=logged_path(scope), client=client)
        elif number == MAX_LINES + 1:
            log.warning("refusals_not_logged", client=client, seconds=int(WINDOW_SECONDS))


def client_of(scope: Scope) -> str:
    """Return the address of whoever asks, "" where there is none: that of a trusted proxy's client behind it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def logged_path(scope: Scope) -> str:
    """Return the path for the log: percent-encoded as it came, without the query, which may hold secrets."""
    raw: bytes = scope["raw_path"]
    return raw[:MAX_LOGGED_PATH].decode("latin-1")
