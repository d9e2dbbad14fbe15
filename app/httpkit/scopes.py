"""Which scope a request needs: a pure table of paths and methods."""

from app.domain.access import Scope
from app.httpkit.origin import SAFE_METHODS

ALERTS = "/alerts"
BELOW_ALERTS = "/alerts/"  # and the name of a format
ACK = "/ack"  # behind an alert's id; no name of a format holds a slash
PINGS = "/heartbeats/"  # and a name behind it; what stands before the name lists them
POSTING = frozenset({"POST", "PUT"})
LOOKING = frozenset({"GET", "HEAD"})  # at alerts
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
    return method in POSTING and _is_alerts(path)


def is_for_intake(method: str, path: str) -> bool:
    """Tell whether the intake answers: all but who looks at alerts, for it says which methods there are."""
    return method not in LOOKING and _is_alerts(path)


def _is_alerts(path: str) -> bool:
    # In this order: nearly all posts are over with the first comparison.
    return path == ALERTS or (path.startswith(BELOW_ALERTS) and not _is_ack(path))


def _is_ack(path: str) -> bool:
    return path.endswith(ACK) and path != ALERTS + ACK


def _pings(method: str, path: str) -> bool:
    return path.startswith(PINGS) and method in PINGING and path != PINGS
