"""The SMTP server in the daemon's own event loop: it listens, limits and ends its sessions."""

import asyncio
import logging
from datetime import timedelta

from app.domain.ports import Clock
from app.smtpd.mail import Receiver
from app.smtpd.session import GuardedSession, SmtpLimits

ABORT_GRACE = timedelta(seconds=1)  # an aborted connection is gone in the next turn of the loop


class GuardedSmtpServer:
    """Receives mail by SMTP and passes each one to `receiver`."""

    def __init__(self, receiver: Receiver, *, clock: Clock, hostname: str, limits: SmtpLimits | None = None) -> None:
        self._receiver = receiver
        self._clock = clock
        self._hostname = hostname
        self._limits = limits or SmtpLimits()
        self._sessions: set[GuardedSession] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port that was bound; 0 asks for a free one. Raises OSError."""
        # aiosmtpd logs addresses at INFO and whole messages at DEBUG; no level may bring them out.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._new_session, host, port)
        bound_port: int = self._listener.sockets[0].getsockname()[1]
        return bound_port

    async def stop(self, *, deadline: timedelta = timedelta(seconds=5)) -> None:
        """Take no more connections, end the open ones with 421; cut what is left at the deadline.

        A message that is being received gets its reply first.
        """
        if self._listener is None:
            return
        self._listener.close()
        for session in tuple(self._sessions):
            session.dismiss()
        await self._until_ended(deadline)
        for session in tuple(self._sessions):
            session.abort()
        await self._until_ended(ABORT_GRACE)
        self._listener = None

    def _new_session(self) -> GuardedSession:
        return GuardedSession(
            receiver=self._receiver,
            clock=self._clock,
            hostname=self._hostname,
            limits=self._limits,
            sessions=self._sessions,
        )

    async def _until_ended(self, deadline: timedelta) -> None:
        if self._sessions:
            await asyncio.wait({s.ended for s in self._sessions}, timeout=deadline.total_seconds())
