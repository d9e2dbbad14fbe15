"""The phases of an HTTP connection, and for how long a client may stay in each."""

from collections.abc import Mapping
from enum import Enum, auto
from math import inf

from app.httpkit.limits import ServerLimits


class Phase(Enum):
    """What is read from the connection at the moment. The answers to requests read before may still be due."""

    IDLE = auto()  # nothing, between two requests
    HEAD = auto()  # the request line and header fields
    BODY = auto()
    WHOLE = auto()  # nothing: the request has been read, its answer is due
    DEAF = auto()  # nothing more is understood, but earlier requests still have their answers to come
    LINGER = auto()  # what comes is dropped: the last answer is out, and the client has a moment to read it


# By these names: to look a member up in its class costs 90 ns in Python 3.11, and each request does it ten times.
IDLE, HEAD, BODY, WHOLE, DEAF, LINGER = Phase


def patience_under(limits: ServerLimits) -> Mapping[Phase, float]:
    """Return the seconds for which a client may let the server wait; inf where it is the client that waits."""
    return {
        IDLE: limits.idle_seconds,
        HEAD: limits.head_seconds,
        BODY: limits.body_seconds,
        WHOLE: inf,
        DEAF: inf,
        LINGER: limits.linger_seconds,
    }
