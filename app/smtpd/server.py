"""The SMTP server in the daemon's own event loop: it listens, limits and ends its sessions."""

import asyncio
import logging
import socket
from datetime import timedelta

from app.domain.ports import Clock
from app.smtpd.access import Access
from app.smtpd.connection import Site
from app.smtpd.limits import SmtpLimits
from app.smtpd.mail import Receiver
from app.smtpd.session import GuardedSession

ABORT_GRACE = timedelta(seconds=1)  # an aborted connection is gone in the next turn of the loop
BACKLOG = 1024  # connections that the kernel holds while the loop is busy; at most net.core.somaxconn of Linux
# What the kernel holds of each connection before we read it, and so what comes at once: a thousand of them must fit.
RECEIVE_BUFFER = 65_536


class GuardedSmtpServer:
    """Receives mail by SMTP and passes each one to `receiver`."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        clock: Clock,
        hostname: str,
        limits: SmtpLimits | None = None,
        access: Access | None = None,
    ) -> None:
        """Without `access` everybody who can connect may send."""
        self._site = Site(
            receiver=receiver, clock=clock, hostname=hostname, limits=limits or SmtpLimits(), access=access or Access()
        )
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port that was bound; 0 asks for a free one. Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return await self.serve(socket.create_server((host, port), family=family, backlog=BACKLOG))

    async def serve(self, listener: socket.socket) -> int:
        """Take connections of a socket that listens already, and return its port."""
        # aiosmtpd logs addresses at INFO and whole messages at DEBUG; no level may bring them out.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)  # connections inherit it
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: GuardedSession(self._site), sock=listener, backlog=BACKLOG)
        bound_port: int = listener.getsockname()[1]
        return bound_port

    def drain(self) -> None:
        """Answer all who come, and all who have sent nothing yet, with 421; they may try again later.

        A message that is being received gets its reply first.
        """
        self._site.sessions.is_closing = True
        for session in self._sessions:
            session.dismiss()

    async def stop(self, *, deadline: timedelta = timedelta(seconds=5)) -> None:
        """Take no more connections, end the open ones as `drain` does; cut what is left at the deadline."""
        if self._listener is None:
            return
        self._listener.close()
        self.drain()
        await self._until_ended(deadline)
        for session in self._sessions:
            session.abort()
        await self._until_ended(ABORT_GRACE)
        self._listener = None

    @property
    def _sessions(self) -> list[GuardedSession]:
        return [session for session in self._site.sessions if isinstance(session, GuardedSession)]

    async def _until_ended(self, deadline: timedelta) -> None:
        ends = {session.ended for session in self._sessions}
        if ends:
            await asyncio.wait(ends, timeout=deadline.total_seconds())
