"""One client's SMTP session: aiosmtpd's, with its memory bounded and the gaps in its dialogue closed."""

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, AnyStr

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from app.domain.ports import Clock
from app.smtpd.mail import ReceivedMail, Receiver
from app.smtpd.message import MessageCollector

log = structlog.get_logger()

PIECE = 65_536  # bytes read at once; the stream stops reading from the network at twice as much
MAX_COMMAND = 1_012  # RFC 5321 section 4.5.3.1.4, and 500 more for MAIL with AUTH= (RFC 4954 section 3)
MAX_OVERRUN = 67_108_864  # an honest client sends its mail to the end, a hostile one never ends
NULL_PATH = "<>"  # how aiosmtpd writes the null reverse-path

# A path, its angle brackets forgiven when missing; an obsolete source route is dropped (RFC 5321
# appendix C). No control characters, no bytes that are not UTF-8: an address ends up in headers.
_PATH = re.compile(
    r"<(?:@[^\s<>:]*:)?(?P<path>(?:\"[^\"\x00-\x1f\x7f\ud800-\udfff]*\")?[^\s<>\"\x00-\x1f\x7f\ud800-\udfff]*)>"
    r"|(?P<bare>[^\s<>\"\x00-\x1f\x7f\ud800-\udfff]+)(?=\s|$)"
)
_AUTH_PARAMETER = re.compile(r"\s+AUTH=\S*(?=\s|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLimits:
    """How much the server takes. `command_timeout` holds for one command, or for one whole message."""

    message_bytes: int = 10_485_760
    connections: int = 100
    recipients: int = 1_000  # RFC 5321 section 4.5.3.1.8 asks for 100 at least
    command_timeout: timedelta = timedelta(minutes=5)  # RFC 5321 section 4.5.3.2.7


class Hooks:
    """What aiosmtpd asks of its handler; all else stands in the session itself."""

    async def handle_EHLO(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        """Announce PIPELINING too: commands are read from a buffer one by one (RFC 2920 section 3.2)."""
        session.host_name = hostname
        return [*replies[:-1], "250-PIPELINING", replies[-1]]


class GuardedSession(SMTP):
    """A session that belongs to `sessions` while it is open."""

    line_length_limit = PIECE  # the base class makes its stream with it; a message may have longer lines

    def __init__(
        self,
        *,
        receiver: Receiver,
        clock: Clock,
        hostname: str,
        limits: SmtpLimits,
        sessions: set["GuardedSession"],
    ) -> None:
        # The base class shares one dictionary among all sessions and lets each EHLO raise it.
        self.command_size_limits = defaultdict(lambda: MAX_COMMAND)
        super().__init__(
            Hooks(),
            data_size_limit=limits.message_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="ESMTP Mail Alert System",
            timeout=limits.command_timeout.total_seconds(),
            loop=asyncio.get_running_loop(),
        )
        self._receiver = receiver
        self._clock = clock
        self._limits = limits
        self._sessions = sessions
        self._taking_message = False
        self._dismissed = False
        self.ended: asyncio.Future[None] = self.loop.create_future()

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the session, or turn the client away when there are too many."""
        super().connection_made(transport)
        self._sessions.add(self)
        if len(self._sessions) > self._limits.connections:
            self._hang_up("421 4.3.2 Too many connections, try again later")

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the open sessions."""
        super().connection_lost(error)
        self._sessions.discard(self)
        if not self.ended.done():
            self.ended.set_result(None)

    def dismiss(self) -> None:
        """End the session with 421: at once, or after the reply to the message that is being taken."""
        self._dismissed = True
        if not self._taking_message:
            self._hang_up("421 4.3.2 Service shutting down")

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    def _hang_up(self, reply: str) -> None:
        # RFC 5321 section 3.8: 421 may be sent at any time. The handler stops first: what the client
        # has sent ahead must not be read as commands any more.
        assert self._handler_coroutine is not None
        self._handler_coroutine.cancel()
        self._writer.write(reply.encode() + b"\r\n")
        self._writer.close()

    def _timeout_cb(self) -> None:
        if self._writer.transport.get_write_buffer_size():
            self.abort()  # a client that reads no replies would hold a mere close() up forever
        else:
            self._hang_up("421 4.4.2 Timeout, closing the connection")

    async def push(self, status: AnyStr) -> None:
        """Send a reply, then let others run: a segment may hold thousands of commands."""
        await super().push(status)
        await asyncio.sleep(0)

    async def handle_exception(self, error: Exception) -> str:
        """Log a fault of ours; the client learns no more than that it may try again."""
        log.error("smtp_session_failed", peer=self._peer, exc_info=error)
        return "451 4.3.0 Local error in processing"

    @property
    def _peer(self) -> str:
        peername: Any = self._writer.get_extra_info("peername")
        return str(peername[0]) if peername else ""

    # The commands.

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take AUTH= and ignore it: nobody here is trusted to speak for others (RFC 4954 section 5)."""
        await super().smtp_MAIL(_AUTH_PARAMETER.sub("", arg) if arg else arg)

    @syntax("RCPT TO: <address>", extended=" [SP <rcpt-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take a recipient, up to the limit."""
        assert self.envelope is not None
        if len(self.envelope.rcpt_tos) >= self._limits.recipients:
            await self.push("452 4.5.3 Too many recipients")  # RFC 5321 section 4.5.3.1.10
        elif arg and arg.endswith(NULL_PATH):
            await self.push("553 5.1.3 The null path is no recipient")  # RFC 5321 section 4.1.1.3
        else:
            await super().smtp_RCPT(arg)

    @syntax("VRFY <address>")
    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Tell nothing about addresses (RFC 5321 section 7.3)."""
        await self.push("252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take the message, in bounded memory, and pass it to the receiver."""
        assert self.envelope is not None
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        self._taking_message = True
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self.push(await self._take_message(self.envelope))
        finally:
            self._taking_message = False
            self.envelope = self._create_envelope()
        if self._dismissed:
            self.dismiss()
            await asyncio.sleep(0)  # the cancellation takes effect here

    async def _take_message(self, envelope: Envelope) -> str:
        data = await self._read_message()
        if data is None:
            return f"552 5.3.4 Message larger than {self._limits.message_bytes} bytes"
        mail_from = envelope.mail_from or ""
        return await self._receiver.receive(
            ReceivedMail(
                mail_from="" if mail_from == NULL_PATH else mail_from,
                recipients=tuple(envelope.rcpt_tos),
                data=data,
                peer=self._peer,
                received_at=self._clock.now(),
            )
        )

    async def _read_message(self) -> bytes | None:
        """Return the message up to its final dot; None when it is over the limit."""
        collector = MessageCollector(self._limits.message_bytes)
        # The end of the connection cancels this coroutine, so read() never returns nothing.
        while (rest := collector.feed(await self._reader.read(PIECE))) is None:
            if collector.received > self._limits.message_bytes + MAX_OVERRUN:
                self._hang_up("552 5.3.4 Message far too large")
                await asyncio.sleep(0)  # the cancellation takes effect here
        # A stream has no way to give back the commands that were read with the end of the message.
        self._reader._buffer[:0] = rest  # type: ignore[attr-defined] # noqa: SLF001 - as said above
        # RFC 5321 section 4.5.3.1.9: a message over the limit is read on, and refused at its end.
        return None if collector.too_large else collector.message()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The base class parses with email's private parser, which raises IndexError for `<`.
        match = _PATH.match(arg)
        if match is None:
            return None, None
        path = match["bare"] if match["path"] is None else match["path"]
        return path or NULL_PATH, arg[match.end() :].strip()
