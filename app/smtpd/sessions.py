"""The sessions that are open: how many there may be, and which one makes room for the next."""

from collections.abc import Iterator
from typing import Protocol

import structlog

log = structlog.get_logger()

SHUTTING_DOWN = "421 4.3.2 Service shutting down"  # RFC 5321 section 3.8
TOO_MANY = "421 4.3.2 Too many connections, try again later"
MAKING_ROOM = "421 4.3.2 Too many connections, and this one was idle for longest"


class OpenSession(Protocol):
    """What is asked of a session here."""

    peer: str

    @property
    def waits_since(self) -> tuple[int, float] | None:
        """Return how it ranks among those that keep us waiting: the lowest goes first. None if it does not."""

    def cut_off(self, reply: str) -> None:
        """Say `reply` if the client listens, and have done with it."""


class OpenSessions:
    """Counts sessions. At the limit the one that has been idle for longest goes: idle clients keep nobody out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[OpenSession, None] = {}
        self.is_closing = False
        self.evicted = 0

    def __iter__(self) -> Iterator[OpenSession]:
        """Go over those that are open just now; they may leave meanwhile."""
        return iter(tuple(self._open))

    def admit(self, session: OpenSession) -> str:
        """Count `session` and return "", or return the reply with which it is to be turned away."""
        refusal = SHUTTING_DOWN if self.is_closing else self._made_room()
        if not refusal:
            self._open[session] = None
        return refusal

    def leave(self, session: OpenSession) -> None:
        """Count it no longer."""
        self._open.pop(session, None)

    def _made_room(self) -> str:
        if len(self._open) < self._limit:
            return ""
        waiting = [(since, session) for session in self._open if (since := session.waits_since) is not None]
        if not waiting:
            return TOO_MANY
        _, victim = min(waiting, key=lambda pair: pair[0])
        log.warning("smtp_session_evicted", peer=victim.peer)
        self.evicted += 1
        self.leave(victim)
        victim.cut_off(MAKING_ROOM)
        return ""
