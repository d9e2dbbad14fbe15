"""One client's connection: aiosmtpd's session with the bounds on time and number, and the TLS that it leaves open."""

import asyncio
from collections import defaultdict
from enum import Enum, auto
from typing import Any, AnyStr

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.domain.ports import Clock
from app.smtpd.access import Access
from app.smtpd.budget import MessageBudget
from app.smtpd.limits import SmtpLimits
from app.smtpd.mail import Receiver
from app.smtpd.passwords import MECHANISMS
from app.smtpd.sessions import SHUTTING_DOWN, OpenSessions

log = structlog.get_logger()

MAX_COMMAND = 1_012  # RFC 5321 section 4.5.3.1.4, and 500 more for MAIL with AUTH= (RFC 4954 section 3)
# What a stream holds of a line without an end, before it drops it. It stops reading from the network at twice as much.
MAX_LINE = 4_096
MAX_UNENDED = 65_536  # bytes of a command without a line end; up to there an honest client may be told of its mistake
# Replies that nobody reads; past this the session waits, and asks for no more commands.
MAX_UNSENT = 16_384
HANDSHAKE_SECONDS = 30
NOT_ADMITTED = "554 5.7.1 No mail is taken from this address"  # RFC 5321 section 3.1


class Phase(Enum):
    """What the connection does; in the first two it waits for the client."""

    COMMAND = auto()
    MESSAGE = auto()
    BUSY = auto()  # the receiver has the mail


class Site:
    """What all sessions of one server share."""

    def __init__(self, *, receiver: Receiver, clock: Clock, hostname: str, limits: SmtpLimits, access: Access) -> None:
        self.receiver = receiver
        self.clock = clock
        self.hostname = hostname
        self.limits = limits
        self.access = access
        self.sessions = OpenSessions(limits.connections)
        self.budget = MessageBudget(limits.held_bytes)


class Hooks:
    """What aiosmtpd asks of its handler; all else stands in the session itself."""

    def __init__(self) -> None:
        self.extensions: list[str] = []  # beside those that aiosmtpd announces itself

    async def handle_EHLO(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        """Announce what we have made ourselves."""
        session.host_name = hostname
        return [*replies[:-1], *(f"250-{extension}" for extension in self.extensions), replies[-1]]


class GuardedConnection(SMTP):
    """A connection that belongs to the site's open sessions while it lasts."""

    line_length_limit = MAX_LINE  # the base class makes its stream with it; a message may have longer lines

    def __init__(self, site: Site) -> None:
        # The base class shares one dictionary among all sessions and lets each EHLO raise it.
        self.command_size_limits = defaultdict(lambda: MAX_COMMAND)
        self._hooks = Hooks()
        super().__init__(
            self._hooks,
            data_size_limit=site.limits.message_bytes,
            enable_SMTPUTF8=True,
            hostname=site.hostname,
            ident="ESMTP Mail Alert System",
            timeout=site.limits.command_timeout.total_seconds(),
            loop=asyncio.get_running_loop(),
        )
        self.site = site
        self.phase = Phase.COMMAND
        self.peer = ""
        self.is_encrypted = False
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self._dismissed = False
        self._unended_bytes = 0  # that came since the last line end, while a command is waited for
        self._idle_since = self.loop.time()
        self._earned_seconds = 0.0  # by the message that is coming in, on top of its timeout

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the session, or turn the client away: it is a stranger, or there are too many."""
        super().connection_made(transport)
        self._writer.transport.set_write_buffer_limits(high=MAX_UNSENT)
        peername: Any = self._writer.get_extra_info("peername")
        self.peer = str(peername[0]) if peername else ""
        self._announce_extensions()
        # Strangers first: they must not make others leave.
        refusal = self._stranger_refusal() or self.site.sessions.admit(self)
        if refusal:
            self.hang_up(refusal)

    def data_received(self, data: bytes) -> None:
        """Take bytes for the session, unless they belong to a line that never ends."""
        if self._unended_bytes > MAX_UNENDED and self.phase is Phase.COMMAND:
            log.warning("smtp_line_too_long", peer=self.peer)
            self.cut_off("421 4.7.0 The line has no end")
            return
        line_end = data.rfind(b"\n")
        self._unended_bytes = len(data) - line_end - 1 + (self._unended_bytes if line_end < 0 else 0)
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the open sessions."""
        if self.ended.done():
            return
        super().connection_lost(error)
        self.site.sessions.leave(self)
        self.ended.set_result(None)

    def _stranger_refusal(self) -> str:
        if self.site.access.admits(self.peer):
            return ""
        log.warning("smtp_client_refused", peer=self.peer)
        return NOT_ADMITTED

    def _announce_extensions(self) -> None:
        # Commands are read from a buffer one by one, as RFC 2920 section 3.2 wants it.
        extensions = ["PIPELINING"]
        if self.site.access.tls is not None and not self.is_encrypted:
            extensions.append("STARTTLS")
        if self.site.access.offers_login(self.peer, is_encrypted=self.is_encrypted):
            extensions.append(f"AUTH {MECHANISMS}")
        self._hooks.extensions = extensions

    # Ends

    def dismiss(self) -> None:
        """End the session with 421: at once, or after the reply to the message that is being taken."""
        self._dismissed = True
        if self.phase is Phase.COMMAND:
            self.hang_up(SHUTTING_DOWN)

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    def hang_up(self, reply: str) -> None:
        """Say `reply` as the last thing, and close."""
        # RFC 5321 section 3.8: 421 may be sent at any time. The handler stops first: what the client
        # has sent ahead must not be read as commands any more.
        assert self._handler_coroutine is not None
        self._handler_coroutine.cancel()
        if not self._writer.is_closing():
            self._writer.write(reply.encode() + b"\r\n")
            self._writer.close()

    def cut_off(self, reply: str) -> None:
        """Say `reply` if the client listens, and have done with it."""
        # A client that reads no replies would hold a mere close() up for ever.
        if self._writer.is_closing() or self._writer.transport.get_write_buffer_size():
            self.abort()
        else:
            self.hang_up(reply)

    async def _end_with(self, reply: str) -> None:
        """Hang up, and come back no more."""
        self.hang_up(reply)
        await asyncio.sleep(0)  # the cancellation takes effect here

    # Time

    @property
    def waits_since(self) -> tuple[int, float] | None:
        """Return since when the client has brought no mail, after those whose message is coming in."""
        match self.phase:
            case Phase.COMMAND:
                return 0, self._idle_since
            case Phase.MESSAGE:
                return 1, self._idle_since + self._earned_seconds
            case Phase.BUSY:
                return None

    def _enter(self, phase: Phase) -> None:
        """Go on to `phase`. The time of the client runs anew, and not while we work."""
        self.phase = phase
        self._unended_bytes = 0
        self._idle_since = self.loop.time()
        self._earned_seconds = 0.0
        limits = self.site.limits
        timeout = limits.message_timeout if phase is Phase.MESSAGE else limits.command_timeout
        self._reset_timeout(timeout.total_seconds())
        if phase is Phase.BUSY:
            assert self._timeout_handle is not None
            self._timeout_handle.cancel()

    def _earn(self, count: int) -> None:
        """Let `count` bytes of a message earn the time for more of it."""
        self._earned_seconds += count / self.site.limits.message_bytes_per_second

    def _timeout_cb(self) -> None:
        """End the session, unless its message has earned more time."""
        patience = self.site.limits.message_timeout.total_seconds() + self._earned_seconds
        left = self._idle_since + patience - self.loop.time()
        if self.phase is Phase.MESSAGE and left > 0:
            self._reset_timeout(left)
        else:
            log.warning("smtp_client_timed_out", peer=self.peer, phase=self.phase.name.lower())
            self.cut_off("421 4.4.2 Timeout, closing the connection")

    # Replies

    async def push(self, status: AnyStr) -> None:
        """Send a reply, then let others run: a segment may hold thousands of commands."""
        await super().push(status)
        await asyncio.sleep(0)

    async def handle_exception(self, error: Exception) -> str:
        """Log a fault of ours; the client learns no more than that it may try again."""
        log.error("smtp_session_failed", peer=self.peer, exc_info=error)
        return "451 4.3.0 Local error in processing"

    # TLS

    async def _start_tls(self) -> None:
        """Encrypt from here on (RFC 3207), with the loop's own TLS; all that was said before is forgotten."""
        assert self.site.access.tls is not None
        raw = self._writer.transport
        # From here on nothing is read as plain text: the handshake may come before the reply is out.
        raw.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
        # RFC 3207 section 6: what was sent ahead in plain text may be somebody else's, and must not count.
        self._reader._buffer.clear()  # type: ignore[attr-defined] # noqa: SLF001 - a stream has no way to drop it
        await self.push("220 2.0.0 Ready to start TLS")
        try:
            encrypted = await self.loop.start_tls(
                raw,
                self,
                self.site.access.tls.context(),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except BaseException as error:
            raw.abort()
            self.connection_lost(None)  # a handshake that fails ends the connection, and nobody tells us
            if isinstance(error, Exception):
                log.warning("smtp_handshake_failed", peer=self.peer, error=type(error).__name__)
                raise asyncio.CancelledError from error  # there is nobody left to be answered
            raise
        assert encrypted is not None
        self._go_over_to(encrypted)

    def _go_over_to(self, transport: asyncio.Transport) -> None:
        """Speak through `transport`, and know nothing of the client but its address (RFC 3207 section 4.2)."""
        # asyncio's streams are not made to change their transport under a protocol that stays.
        for holder in (self._reader, self._writer, self):
            holder._transport = transport  # type: ignore[union-attr] # noqa: SLF001 - as said above
        self._over_ssl = True
        self.transport = transport
        transport.set_write_buffer_limits(high=MAX_UNSENT)
        self.is_encrypted = True
        self.envelope = self._create_envelope()
        self.session = self._create_session()
        self.session.peer = transport.get_extra_info("peername")
        self.session.ssl = {"sslcontext": transport.get_extra_info("sslcontext")}
        self._announce_extensions()
