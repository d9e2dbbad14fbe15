"""A connection to a relay: drives the sans-IO SMTP machines over a network stream."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import MailAlertError, ProtocolError
from app.domain.outcome import Deferred, Outcome, Refused, Reply, Scope
from app.domain.relay import Relay, Security
from app.net.streams import CertificateRejected, Stream, StreamError, StreamTimeout
from app.net.tls import PeerCertificate, client_context
from app.protocols.smtp.auth import masked, secret_forms
from app.protocols.smtp.capabilities import NO_CAPABILITIES
from app.protocols.smtp.dotstuff import encode_content
from app.protocols.smtp.handshake import Handshake, HandshakePhase, address_literal
from app.protocols.smtp.reply import ReplyReader, ServerReply
from app.protocols.smtp.transaction import OutgoingMail, Step, Transaction

BLOCK_BYTES = 64 * 1024  # content written at a time: what the transport buffers before it pauses us

OnLine = Callable[[str, str], None]  # ("C" or "S", the line without its end and without secrets)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each stage may take, in seconds."""

    connect_s: float = 10
    command_s: float = 60
    block_s: float = 180  # RFC 5321 section 4.5.3.2.5: for each block of the content
    final_dot_s: float = 600  # RFC 5321 section 4.5.3.2.6: a shorter one makes duplicates
    mail_s: float = 900  # all before the final dot, so that a relay that trickles cannot hold a mail for ever
    quit_s: float = 3


DEFAULT_TIMEOUTS = Timeouts()


class RelayFault(MailAlertError):
    """No session with the relay could be made ready; `outcome` has scope RELAY or CONFIGURATION."""

    def __init__(self, relay: Relay, outcome: Deferred) -> None:
        said = f" ({outcome.reply})" if outcome.reply else ""
        super().__init__(f'relay "{relay.name}": {outcome.reason}{said}')
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one mail: an outcome per recipient, in the order of the mail.

    `stale`: the connection had been used before and died before the reply to MAIL, so nothing is charged;
    connect anew at once. `mail_taken_up`: MAIL was accepted, so what failed then may be this mail's fault.
    `sender_refusal`: MAIL was refused for good.
    """

    outcomes: tuple[Outcome, ...]
    stale: bool = False
    mail_taken_up: bool = False
    sender_refusal: Reply | None = None


class Connection:
    """A session with a relay, for one mail at a time. Make it with open()."""

    def __init__(self, relay: Relay, stream: Stream, timeouts: Timeouts, on_line: OnLine | None) -> None:
        self.relay = relay
        self.capabilities = NO_CAPABILITIES
        self.mechanism: str | None = None  # that logged in
        self.helo_name = ""
        self._stream = stream
        self._timeouts = timeouts
        self._on_line = on_line
        self._time = asyncio.get_running_loop().time
        self._replies = ReplyReader()
        self._transaction: Transaction | None = None

    @classmethod
    async def open(
        cls,
        relay: Relay,
        *,
        helo_name: str | None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        on_line: OnLine | None = None,
    ) -> "Connection":
        """Return a session that is ready for mail: connected, greeted, encrypted and logged in.

        Without a `helo_name` the client calls itself by the address of its socket. Raises RelayFault.
        """
        try:
            stream = await Stream.connect(relay.host, relay.port, timeout_s=timeouts.connect_s)
        except StreamError as error:
            raise RelayFault(relay, Deferred(Scope.RELAY, str(error))) from error
        connection = cls(relay, stream, timeouts, on_line)
        connection.helo_name = helo_name or address_literal(stream.local_address)
        try:
            await connection._make_ready()
        except BaseException:  # also when cancelled: a half-made session is of no use to anybody
            stream.abort()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether the relay kept silent and the link is up; a 421 or an end while idle makes it False."""
        return not (self._stream.has_input or self._replies)

    @property
    def past_final_dot(self) -> bool:
        """Whether a mail's final dot has gone out and its reply has not come, also after a cancelled send()."""
        transaction = self._transaction
        return transaction is not None and transaction.past_final_dot and not transaction.finished

    @property
    def certificate(self) -> PeerCertificate | None:
        """The relay's certificate; None in plaintext."""
        return self._stream.certificate

    @property
    def tls_version(self) -> str | None:
        """For example "TLSv1.3"; None in plaintext."""
        return self._stream.tls_version

    async def send(self, mail: OutgoingMail) -> SendResult:
        """Send one mail. Whatever the relay does is an outcome, never an exception.

        When cancelled it cuts the connection; abandon() then tells what is known.
        """
        limit = self.capabilities.size_limit
        if limit is not None and len(mail.data) > limit:
            reason = f"the mail has {len(mail.data)} bytes, and the relay takes no more than {limit}"
            return SendResult((Refused(Scope.MESSAGE, reason),) * len(mail.recipients))
        before = self._transaction
        self._transaction = transaction = Transaction(
            mail, self.capabilities, reset_first=before is not None and before.needs_reset
        )
        try:
            await self._converse(transaction, mail)
        except (StreamError, ProtocolError) as error:
            transaction.lost(_loss(transaction, error))
        finally:
            if not (transaction.finished and transaction.intact):
                self._stream.abort()
        return SendResult(
            transaction.outcomes(),
            stale=before is not None and not transaction.mail_answered,
            mail_taken_up=transaction.mail_taken_up,
            sender_refusal=transaction.sender_refusal,
        )

    def abandon(self, reason: str) -> SendResult:
        """Return what is known of the mail whose send() was cancelled: ambiguous if past its final dot."""
        assert self._transaction is not None  # there was a send()
        self._transaction.lost(reason)
        return SendResult(self._transaction.outcomes())

    async def close(self) -> None:
        """Say QUIT if anybody listens, and close. Never raises."""
        deadline = self._time() + self._timeouts.quit_s
        try:
            if self.usable:
                self._say(b"QUIT\r\n")
                self._show_reply(await self._next_reply(deadline))
        except (StreamError, ProtocolError):
            pass  # the session is over either way
        finally:
            await self._stream.close(deadline)

    async def _make_ready(self) -> None:
        handshake = Handshake(
            self.relay,
            helo_name=self.helo_name,
            encrypted=self.relay.security is Security.IMPLICIT_TLS,
            loopback=self._stream.peer_is_loopback,
        )
        try:
            if self.relay.security is Security.IMPLICIT_TLS:
                await self._encrypt()
            await self._shake_hands(handshake)
        except CertificateRejected as error:
            raise RelayFault(self.relay, Deferred(Scope.CONFIGURATION, str(error))) from error
        except StreamTimeout as error:
            reason = f"the relay did not answer within {self._timeouts.command_s:g} s"
            raise RelayFault(self.relay, Deferred(Scope.RELAY, reason)) from error
        except (StreamError, ProtocolError) as error:
            raise RelayFault(self.relay, Deferred(Scope.RELAY, str(error))) from error
        if handshake.fault is not None:
            await self.close()
            raise RelayFault(self.relay, handshake.fault)
        self.capabilities = handshake.capabilities
        self.mechanism = handshake.mechanism

    async def _shake_hands(self, handshake: Handshake) -> None:
        while not handshake.finished:
            if handshake.phase is HandshakePhase.TLS:
                await self._encrypt()
                said = handshake.tls_started()
            else:
                reply = await self._next_reply(self._time() + self._timeouts.command_s)
                self._show_reply(reply)
                said = handshake.receive(reply)
            logging_in = handshake.phase is HandshakePhase.AUTH
            if logging_in:
                self._replies.secrets = secret_forms(self.relay.username, self.relay.password)
            if said:
                self._say(said, secret=logging_in)

    async def _encrypt(self) -> None:
        context = await asyncio.to_thread(client_context)
        # Whatever came in the clear behind the reply to STARTTLS may have been slipped in (CVE-2011-0411).
        if not self.usable:
            raise ProtocolError("the relay hung up or spoke in plaintext where TLS must begin")
        await self._stream.start_tls(context, server_name=self.relay.host, timeout_s=self._timeouts.command_s)

    async def _converse(self, transaction: Transaction, mail: OutgoingMail) -> None:
        timeouts = self._timeouts
        mail_deadline = self._time() + timeouts.mail_s
        self._say(transaction.start())
        while not transaction.finished:
            if transaction.step is Step.CONTENT:
                await self._send_content(transaction, mail, mail_deadline)
            if transaction.past_final_dot:
                deadline = self._time() + timeouts.final_dot_s
            else:
                deadline = min(self._time() + timeouts.command_s, mail_deadline)
            reply: ServerReply | None = await self._next_reply(deadline)
            while reply is not None:
                reply = self._take(transaction, reply)

    def _take(self, transaction: Transaction, reply: ServerReply) -> ServerReply | None:
        """Give `reply` to the transaction, and return the next one that has come already."""
        self._show_reply(reply)
        said = transaction.receive(reply)
        if said:
            self._say(said)
        return None if transaction.finished else self._replies.next_reply()

    async def _send_content(self, transaction: Transaction, mail: OutgoingMail, mail_deadline: float) -> None:
        content = memoryview(encode_content(mail.data))
        if self._on_line:
            self._on_line("C", f"({len(content)} bytes of mail and the final dot)")
        last_block_at = max(0, len(content) - BLOCK_BYTES)
        for start in range(0, last_block_at, BLOCK_BYTES):
            if not self.usable:
                return
            self._stream.write(content[start : min(start + BLOCK_BYTES, last_block_at)])
            await self._stream.drain(min(self._time() + self._timeouts.block_s, mail_deadline))
        # A relay that answers or hangs up before the end gets no final dot: the mail is not taken for sure.
        if self.usable:
            transaction.final_dot_sent()
            self._stream.write(content[last_block_at:])

    async def _next_reply(self, deadline: float) -> ServerReply:
        while (reply := self._replies.next_reply()) is None:
            self._replies.feed(await self._stream.read(deadline))
        return reply

    def _say(self, data: bytes, *, secret: bool = False) -> None:
        # What lies unread would be taken for the reply to what is said now.
        if not self.usable:
            raise ProtocolError("the relay hung up or spoke out of turn")
        if self._on_line:
            for line in data.decode().splitlines():
                self._on_line("C", masked(line) if secret else line)
        self._stream.write(data)

    def _show_reply(self, reply: ServerReply) -> None:
        if self._on_line:
            for number, line in enumerate(reply.lines, start=1):
                separator = "-" if number < len(reply.lines) else " "
                self._on_line("S", f"{reply.code}{separator}{line}".rstrip())


_AWAITED = {Step.CONTENT: "the content", Step.DOT: "the final dot", Step.LONE_DOT: "the final dot"}


def _loss(transaction: Transaction, error: MailAlertError) -> str:
    awaited = _AWAITED.get(transaction.step, transaction.step.name)
    if isinstance(error, StreamTimeout):
        return f"the relay did not answer {awaited} in time"
    return f"{error}, at {awaited}"
