"""Which scope a request needs: a pure table of paths and methods."""

from app.domain.access import Scope
from app.httpkit.origin import SAFE_METHODS

ALERTS = "/alerts"
BELOW_ALERTS = "/alerts/"  # and the name of a format
PINGS = "/heartbeats/"  # and a name behind it; what stands before the name lists them
POSTING = frozenset({"POST", "PUT"})
PINGING = frozenset({"GET", "HEAD", "POST"})  # cron jobs ping by what they have: curl, wget, a browser's address line
# Looked up once: members of an enum are found slowly, and this is asked for every alert.
SEND, READ, MANAGE = Scope.SEND, Scope.READ, Scope.MANAGE


def needed_scope(method: str, path: str) -> Scope:
    """Return what a token must hold for this request.

    What changes something at an address that is not in this table needs `manage`: a route that somebody adds is
    closed to senders until it is opened here.
    """
    if posts_alerts(method, path) or _pings(method, path):
        return SEND
    return READ if method in SAFE_METHODS else MANAGE


def posts_alerts(method: str, path: str) -> bool:
    """Tell whether the body of this request is read as alerts."""
    return method in POSTING and (path == ALERTS or path.startswith(BELOW_ALERTS))


def _pings(method: str, path: str) -> bool:
    return path.startswith(PINGS) and method in PINGING and path != PINGS
