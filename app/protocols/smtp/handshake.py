"""From the greeting to a session that takes mail: EHLO, STARTTLS, AUTH, as a state machine without I/O."""

from dataclasses import replace
from enum import Enum, auto

from app.domain.classify import Stage, classify
from app.domain.errors import ProtocolError
from app.domain.login import Login, SecretKind
from app.domain.outcome import Deferred, Reply, Scope
from app.domain.relay import Relay, Security
from app.protocols.sasl import LoginExchange, choose_mechanism
from app.protocols.smtp.capabilities import NO_CAPABILITIES, parse_capabilities
from app.protocols.smtp.reply import ServerReply

MAX_COMMAND = 512  # RFC 5321 section 4.5.3.1.4, CRLF included


def address_literal(address: str) -> str:
    """Return the name of a client that has none: its own IP address (RFC 5321 sections 4.1.3 and 4.1.4)."""
    if ":" not in address:
        return f"[{address}]"
    return f"[IPv6:{address.partition('%')[0]}]"  # the zone means nothing to others


class HandshakePhase(Enum):
    """What the handshake waits for."""

    GREETING = auto()
    EHLO = auto()
    HELO = auto()
    STARTTLS = auto()
    TLS = auto()  # for its driver to encrypt the link, then call tls_started()
    AUTH = auto()
    READY = auto()
    FAILED = auto()  # `fault` says why


class Handshake:
    """Replies in, commands out. Every answer is the bytes to send next, empty for none.

    Without a `login` none is tried. `encrypted` says whether the link is under TLS from its first byte,
    `loopback` whether the connected peer is this machine: the name that was asked for proves nothing.
    """

    def __init__(self, relay: Relay, *, login: Login | None, helo_name: str, encrypted: bool, loopback: bool) -> None:
        self.phase = HandshakePhase.GREETING
        self.fault: Deferred | None = None
        self.capabilities = NO_CAPABILITIES
        self.login_refused = False  # for good: whoever gave the login should hear of it
        self._relay = relay
        self._login = login
        self._helo_name = helo_name
        self._encrypted = encrypted
        self._loopback = loopback
        self._exchange: LoginExchange | None = None
        self._actions = {
            HandshakePhase.GREETING: self._on_greeting,
            HandshakePhase.EHLO: self._on_ehlo,
            HandshakePhase.HELO: self._on_helo,
            HandshakePhase.STARTTLS: self._on_starttls,
            HandshakePhase.AUTH: self._on_auth,
        }

    @property
    def finished(self) -> bool:
        """Whether the session is ready, or never will be."""
        return self.phase in {HandshakePhase.READY, HandshakePhase.FAILED}

    @property
    def mechanism(self) -> str | None:
        """The name of the mechanism that logs in; None where nobody does."""
        return self._exchange.mechanism.name if self._exchange else None

    def receive(self, reply: ServerReply) -> bytes:
        """Take the next reply. Raises ProtocolError for one that nothing asked for."""
        action = self._actions.get(self.phase)
        if action is None:
            raise ProtocolError(f"the relay spoke out of turn: {reply.summary()}")
        return action(reply)

    def tls_started(self) -> bytes:
        """Go on over the link that is encrypted now."""
        # RFC 3207 section 4.2: forget what the server said in the clear, and ask again.
        self._encrypted = True
        self.capabilities = NO_CAPABILITIES
        return self._say(HandshakePhase.EHLO, f"EHLO {self._helo_name}")

    def _on_greeting(self, reply: ServerReply) -> bytes:
        if not reply.is_positive:
            return self._refused(Stage.GREETING, reply.summary())
        return self._say(HandshakePhase.EHLO, f"EHLO {self._helo_name}")

    def _on_ehlo(self, reply: ServerReply) -> bytes:
        if reply.code >= 500:  # RFC 5321 section 3.2: a server from before the extensions
            return self._say(HandshakePhase.HELO, f"HELO {self._helo_name}")
        if not reply.is_positive:
            return self._refused(Stage.EHLO, reply.summary())
        self.capabilities = parse_capabilities(reply.lines)
        return self._after_hello()

    def _on_helo(self, reply: ServerReply) -> bytes:
        return self._after_hello() if reply.is_positive else self._refused(Stage.EHLO, reply.summary())

    def _after_hello(self) -> bytes:
        if not self._encrypted and self._needs_tls():
            return self._start_tls()
        if self._login is not None:
            return self._log_in(self._login)
        self.phase = HandshakePhase.READY
        return b""

    def _needs_tls(self) -> bool:
        match self._relay.security:
            case Security.INSECURE:
                return False
            case Security.OPPORTUNISTIC:
                return not self._loopback
            case _:
                return True

    def _start_tls(self) -> bytes:
        if self.capabilities.starttls:
            return self._say(HandshakePhase.STARTTLS, "STARTTLS")
        return self._misconfigured(
            "the relay does not offer STARTTLS, so nothing was sent; try smtps:// on port 465, or write "
            "smtp+insecure:// to send in plaintext"
        )

    def _on_starttls(self, reply: ServerReply) -> bytes:
        if not reply.is_positive:
            return self._refused(Stage.STARTTLS, reply.summary())
        self.phase = HandshakePhase.TLS
        return b""

    def _log_in(self, login: Login) -> bytes:
        if not self._encrypted and not self._loopback:
            return self._misconfigured(
                "a password never goes over an unencrypted link; use smtp+starttls:// or smtps://"
            )
        offered = self.capabilities.auth
        mechanism = choose_mechanism(login, offered, encrypted=self._encrypted)
        if mechanism is None:
            names = f"only {', '.join(offered)}" if offered else "no login (AUTH)"
            remedy = "use smtp+starttls:// on port 587, or remove the user"
            if login.kind is SecretKind.ACCESS_TOKEN and offered:
                remedy = "it takes no OAuth tokens, so give it a password"
            return self._misconfigured(f"the relay offers {names} here; {remedy}")
        self._exchange = LoginExchange(mechanism, login, max_command=MAX_COMMAND)
        return self._say(HandshakePhase.AUTH, self._exchange.first())

    def _on_auth(self, reply: ServerReply) -> bytes:
        assert self._exchange is not None
        if reply.is_positive:
            self.phase = HandshakePhase.READY
            return b""
        if reply.is_intermediate:
            return self._say(HandshakePhase.AUTH, self._exchange.answer(reply.lines[0]))
        return self._login_failed(self._exchange, reply.summary())

    def _login_failed(self, exchange: LoginExchange, reply: Reply) -> bytes:
        outcome = classify(Stage.AUTH, reply)
        assert isinstance(outcome, Deferred)  # before MAIL nothing is sent and nobody refused
        self.login_refused = outcome.scope is Scope.CONFIGURATION
        if self.login_refused and exchange.login.kind is SecretKind.ACCESS_TOKEN:
            said = f' and says "{exchange.complaint}"' if exchange.complaint else ""
            reason = f"the relay refused the access token{said}; let this account send by SMTP, and check the scope"
            outcome = replace(outcome, reason=reason)
        return self._fail(outcome)

    def _say(self, phase: HandshakePhase, line: str) -> bytes:
        self.phase = phase
        return line.encode() + b"\r\n"

    def _refused(self, stage: Stage, reply: Reply) -> bytes:
        outcome = classify(stage, reply)
        assert isinstance(outcome, Deferred)  # before MAIL nothing is sent and nobody refused
        return self._fail(outcome)

    def _misconfigured(self, reason: str) -> bytes:
        return self._fail(Deferred(Scope.CONFIGURATION, reason))

    def _fail(self, fault: Deferred) -> bytes:
        self.phase = HandshakePhase.FAILED
        self.fault = fault
        return b""
