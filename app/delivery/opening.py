"""Opens a session with a relay: connected, greeted, encrypted and logged in, or a fault that says why not."""

import asyncio
from dataclasses import dataclass

from app.delivery.dialogue import Dialogue, OnLine
from app.domain.errors import LoginUnavailable, MailAlertError, ProtocolError
from app.domain.login import Login, Logins
from app.domain.outcome import Deferred, Scope, in_words
from app.domain.relay import Relay, Security
from app.net.errors import CertificateRejected, StreamError, StreamTimeout, TlsFilesUnusable
from app.net.streams import Stream
from app.net.tls import client_context
from app.protocols.sasl import secret_forms
from app.protocols.smtp.handshake import Handshake, HandshakePhase, address_literal


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
        super().__init__(f'relay "{relay.name}": {in_words(outcome)}')
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How one relay is approached. Without a `helo_name` the client calls itself by the address of its socket."""

    relay: Relay
    logins: Logins
    helo_name: str | None
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    on_line: OnLine | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What an opening came to: the dialogue, and the handshake that tells what the relay can do."""

    dialogue: Dialogue
    handshake: Handshake
    helo_name: str


async def open_session(approach: Approach) -> Session:
    """Return a session that is ready for mail. Raises RelayFault."""
    relay = approach.relay
    try:
        login = await approach.logins.current()
        stream = await Stream.connect(relay.host, relay.port, timeout_s=approach.timeouts.connect_s)
    except LoginUnavailable as error:
        scope = Scope.CONFIGURATION if error.is_configuration else Scope.RELAY
        raise RelayFault(relay, Deferred(scope, str(error))) from error
    except StreamError as error:
        raise RelayFault(relay, Deferred(Scope.RELAY, str(error))) from error
    try:
        return await _Opening(approach, stream, login).run()
    except BaseException:  # also when cancelled: a half-made session is of no use to anybody
        stream.abort()
        raise


class _Opening:
    """One handshake over a link that has just been made."""

    def __init__(self, approach: Approach, stream: Stream, login: Login | None) -> None:
        self._approach = approach
        self._stream = stream
        self._login = login
        self._time = asyncio.get_running_loop().time
        self._dialogue = Dialogue(stream, approach.on_line)
        self._implicit_tls = approach.relay.security is Security.IMPLICIT_TLS
        self._helo_name = approach.helo_name or address_literal(stream.local_address)
        self._handshake = Handshake(
            approach.relay,
            login=login,
            helo_name=self._helo_name,
            encrypted=self._implicit_tls,
            loopback=stream.peer_is_loopback,
        )

    async def run(self) -> Session:
        relay, handshake = self._approach.relay, self._handshake
        try:
            if self._implicit_tls:
                await self._encrypt()
            await self._shake_hands()
        except (CertificateRejected, TlsFilesUnusable) as error:
            raise RelayFault(relay, Deferred(Scope.CONFIGURATION, str(error))) from error
        except StreamTimeout as error:
            reason = f"the relay did not answer within {self._approach.timeouts.command_s:g} s"
            raise RelayFault(relay, Deferred(Scope.RELAY, reason)) from error
        except (StreamError, ProtocolError) as error:
            raise RelayFault(relay, Deferred(Scope.RELAY, str(error))) from error
        if handshake.login_refused and self._login is not None:
            self._approach.logins.refused(self._login)
        if handshake.fault is not None:
            await say_goodbye(self._dialogue, self._time() + self._approach.timeouts.quit_s)
            raise RelayFault(relay, handshake.fault)
        return Session(self._dialogue, handshake, self._helo_name)

    async def _shake_hands(self) -> None:
        handshake, dialogue = self._handshake, self._dialogue
        while not handshake.finished:
            if handshake.phase is HandshakePhase.TLS:
                await self._encrypt()
                said = handshake.tls_started()
            else:
                said = handshake.receive(await dialogue.next_reply(self._time() + self._approach.timeouts.command_s))
            logging_in = handshake.phase is HandshakePhase.AUTH
            if logging_in:
                dialogue.hide(secret_forms(self._login))
            if said:
                dialogue.say(said, secret=logging_in)

    async def _encrypt(self) -> None:
        relay = self._approach.relay
        context = await asyncio.to_thread(client_context, relay.tls)
        # Whatever came in the clear behind the reply to STARTTLS may have been slipped in (CVE-2011-0411).
        if not self._dialogue.silent:
            raise ProtocolError("the relay hung up or spoke in plaintext where TLS must begin")
        await self._stream.start_tls(context, server_name=relay.host, timeout_s=self._approach.timeouts.command_s)


async def say_goodbye(dialogue: Dialogue, deadline: float) -> None:
    """Say QUIT if anybody listens, and close. Never raises."""
    try:
        if dialogue.silent:
            dialogue.say(b"QUIT\r\n")
            await dialogue.next_reply(deadline)
    except (StreamError, ProtocolError):
        pass  # the session is over either way
    finally:
        await dialogue.stream.close(deadline)
