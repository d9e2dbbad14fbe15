"""Opens a mailbox by POP3: connected, greeted, encrypted and logged in, or a fault that says why not."""

import asyncio

from app.domain.errors import ProtocolError
from app.domain.login import Login, Logins
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import Trouble
from app.mailbox.faults import faults_of, mailbox_fault
from app.mailbox.introduction import Introduction, OnOpen
from app.mailbox.pop3_dialogue import OnLine, Pop3Dialogue
from app.mailbox.pop3_exchange import Pop3Exchange
from app.mailbox.pop3_session import Pop3Session
from app.mailbox.timeouts import DEFAULT_TIMEOUTS, MailboxTimeouts
from app.net.streams import Stream
from app.net.tls import client_context
from app.protocols.pop3.capabilities import Capabilities
from app.protocols.pop3.commands import Command
from app.protocols.pop3.handshake import Handshake, HandshakePhase
from app.protocols.sasl import secret_forms


async def open_pop3(
    server: MailboxServer,
    logins: Logins,
    *,
    timeouts: MailboxTimeouts = DEFAULT_TIMEOUTS,
    on_line: OnLine | None = None,
    on_open: OnOpen | None = None,
) -> Pop3Session:
    """Return a session with the mailbox, which nobody else may open meanwhile on most servers.

    `on_line` sees the dialogue without its secrets, and `on_open` what is known of the server. Raises MailboxFault.
    """
    opening = Pop3Opening(server, logins, timeouts=timeouts, on_line=on_line)
    dialogue = await opening.run()
    if on_open:
        on_open(opening.introduction(dialogue.stream))
    exchange = Pop3Exchange(server, dialogue, pipelining=opening.capabilities.pipelining)
    return Pop3Session(exchange, timeouts, has_top=opening.capabilities.top)


class Pop3Opening:
    """One way to the mailbox of `server`. Once it is open, `capabilities` tells what the server can do."""

    def __init__(
        self, server: MailboxServer, logins: Logins, *, timeouts: MailboxTimeouts, on_line: OnLine | None
    ) -> None:
        self.server = server
        self.capabilities = Capabilities()
        self._login_by = ""
        self._logins = logins
        self._timeouts = timeouts
        self._on_line = on_line

    async def run(self) -> Pop3Dialogue:
        """Return a dialogue with an open mailbox. Raises MailboxFault."""
        with faults_of(self.server):
            login = await self._logins.current()
            if login is None:
                raise mailbox_fault(self.server, "it needs a login; give a password", Trouble.CONFIGURATION)
            stream = await Stream.connect(self.server.host, self.server.port, timeout_s=self._timeouts.connect_s)
            try:
                return await self._over(stream, login)
            except BaseException:  # also when cancelled: a half-made session is of no use to anybody
                stream.abort()
                raise

    async def _over(self, stream: Stream, login: Login) -> Pop3Dialogue:
        dialogue = Pop3Dialogue(stream, self._timeouts, self._on_line)
        encrypted = self.server.security.is_implicit_tls
        handshake = Handshake(login, encrypted=encrypted, loopback=stream.peer_is_loopback)
        if encrypted:
            await self._encrypt(dialogue)
        await self._shake_hands(dialogue, handshake, login)
        if handshake.login_refused:
            self._logins.refused(login)
        if handshake.fault is not None:
            await dialogue.goodbye()
            raise mailbox_fault(self.server, handshake.fault.reason, handshake.fault.trouble)
        self.capabilities = handshake.capabilities
        self._login_by = handshake.way or ""
        return dialogue

    def introduction(self, stream: Stream) -> Introduction:
        """Return what is known of the server, once `run` has opened the mailbox over this stream."""
        used = {"PIPELINING": self.capabilities.pipelining, "TOP": self.capabilities.top}
        return Introduction(
            certificate=stream.certificate,
            tls_version=stream.tls_version,
            login_by=self._login_by,
            abilities=tuple(name for name, there in used.items() if there),
        )

    async def _shake_hands(self, dialogue: Pop3Dialogue, handshake: Handshake, login: Login) -> None:
        while not handshake.finished:
            if handshake.phase is HandshakePhase.TLS:
                await self._encrypt(dialogue)
                command: Command | None = handshake.tls_started()
            else:
                command = handshake.receive(await dialogue.next_reply())
            if handshake.phase is HandshakePhase.LOGIN:
                dialogue.hide(secret_forms(login))
            if command is not None:
                dialogue.say(command)

    async def _encrypt(self, dialogue: Pop3Dialogue) -> None:
        context = await asyncio.to_thread(client_context, self.server.tls)
        # Whatever came in the clear behind the answer to STLS may have been slipped in (CVE-2011-0411).
        if not dialogue.silent:
            raise ProtocolError("the server hung up or spoke in plaintext where TLS must begin")
        await dialogue.stream.start_tls(context, server_name=self.server.host, timeout_s=self._timeouts.command_s)
