"""From the greeting to an open mailbox: CAPA, STLS and the login, as a state machine without I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from app.domain.errors import ConfigurationError, ProtocolError
from app.domain.login import Login, SecretKind
from app.domain.mailbox_session import Trouble
from app.protocols.pop3 import commands
from app.protocols.pop3.capabilities import NO_CAPABILITIES, parse_capabilities
from app.protocols.pop3.commands import Command
from app.protocols.pop3.login import APOP, USER, LoginAttempt, choose_attempt, find_timestamp
from app.protocols.pop3.reply import Pop3Reply, Status
from app.protocols.pop3.trouble import trouble_of, wants_pause


@dataclass(frozen=True, slots=True)
class HandshakeFault:
    """Why the mailbox did not open, with the remedy, and what kind of trouble that is."""

    reason: str
    trouble: Trouble


class HandshakePhase(Enum):
    """What the handshake waits for."""

    GREETING = auto()
    CAPA = auto()
    STLS = auto()
    TLS = auto()  # for its driver to encrypt the link, then call tls_started()
    LOGIN = auto()
    READY = auto()
    FAILED = auto()  # `fault` says why


class Handshake:
    """Replies in, commands out; its driver begins by expecting the GREETING.

    `encrypted` says whether the link is under TLS from its first byte, `loopback` whether the connected peer is this
    machine, the only one that is talked to in plaintext: the name that was asked for proves nothing.
    """

    def __init__(self, login: Login, *, encrypted: bool, loopback: bool) -> None:
        self.phase = HandshakePhase.GREETING
        self.fault: HandshakeFault | None = None
        self.capabilities = NO_CAPABILITIES
        self.login_refused = False  # for good: whoever gave the login should hear of it
        self._login = login
        self._encrypted = encrypted
        self._loopback = loopback
        self._timestamp = ""
        self._attempt: LoginAttempt | None = None

    @property
    def finished(self) -> bool:
        """Whether the mailbox is open, or never will be."""
        return self.phase in {HandshakePhase.READY, HandshakePhase.FAILED}

    @property
    def way(self) -> str | None:
        """The way that logs in, such as USER, APOP or the name of a mechanism; None for none yet."""
        return self._attempt.name if self._attempt else None

    def receive(self, reply: Pop3Reply) -> Command | None:
        """Take the next answer, return what to say next. Raises ProtocolError for an answer out of place."""
        action = self._ACTIONS.get(self.phase)
        if action is None or (reply.status is Status.MORE and self.phase is not HandshakePhase.LOGIN):
            raise ProtocolError(f"the server spoke out of turn: {reply}")
        return action(self, reply)

    def tls_started(self) -> Command:
        """Go on over the link that is encrypted now."""
        # RFC 2595 section 4: forget what the server said in the clear, and ask again. The time stamp is part of that:
        # whoever wrote it could try words against our digest.
        self._encrypted = True
        self._timestamp = ""
        self.capabilities = NO_CAPABILITIES
        return self._say(HandshakePhase.CAPA, commands.CAPA)

    def _on_greeting(self, reply: Pop3Reply) -> Command | None:
        if not reply.is_ok:
            return self._refused(reply, "turns us away", Trouble.BUSY)
        self._timestamp = find_timestamp(reply.text)
        return self._say(HandshakePhase.CAPA, commands.CAPA)

    def _on_capa(self, reply: Pop3Reply) -> Command | None:
        if reply.is_ok:  # else a server from before RFC 2449
            self.capabilities = parse_capabilities(reply.content)
        if self._encrypted or self._loopback:
            return self._log_in()
        if self.capabilities.stls:
            return self._say(HandshakePhase.STLS, commands.STLS)
        return self._fail(
            "the server does not offer STLS, so nothing was sent; try pop3s:// on port 995", Trouble.CONFIGURATION
        )

    def _on_stls(self, reply: Pop3Reply) -> Command | None:
        if not reply.is_ok:
            return self._refused(reply, "refused STLS", Trouble.UNREACHABLE)
        self.phase = HandshakePhase.TLS
        return None

    def _log_in(self) -> Command | None:
        offers = self.capabilities
        self._attempt = choose_attempt(
            self._login,
            sasl=offers.sasl,
            user=offers.user,
            timestamp=self._timestamp,
            encrypted=self._encrypted,
        )
        if self._attempt is None:
            return self._fail(self._no_way(), Trouble.CONFIGURATION)
        try:
            return self._say(HandshakePhase.LOGIN, self._attempt.first())
        except ConfigurationError as error:
            return self._fail(str(error), Trouble.CONFIGURATION)

    def _no_way(self) -> str:
        ways = [*self.capabilities.sasl, *([USER] if self.capabilities.user else [])]
        ways += [APOP] if self._timestamp else []
        names = f"only {', '.join(ways)}" if ways else "no login"
        remedy = "use pop3s:// on port 995, or have the server allow passwords"
        if self._login.kind is SecretKind.ACCESS_TOKEN and ways:
            remedy = "it takes no OAuth tokens, so give it a password"
        return f"the server offers {names} here; {remedy}"

    def _on_login(self, reply: Pop3Reply) -> Command | None:
        assert self._attempt is not None
        if reply.status is Status.ERR:
            return self._login_failed(reply, self._attempt)
        command = self._attempt.next(reply)
        if command is None:
            self.phase = HandshakePhase.READY
        return command

    def _login_failed(self, reply: Pop3Reply, attempt: LoginAttempt) -> Command | None:
        trouble = trouble_of(reply, otherwise=Trouble.LOGIN)
        self.login_refused = trouble is Trouble.LOGIN
        if not self.login_refused:
            return self._refused(reply, "does not open the mailbox", trouble)
        if self._login.kind is SecretKind.ACCESS_TOKEN:
            said = attempt.complaint or reply.words()
            remedy = "let this account be read by POP3, and check the scope"
            return self._fail(f'the server refused the access token and says "{said}"; {remedy}', trouble)
        remedy = "correct user or password, or let this account be read by POP3"
        said = f'the server refused the login and says "{reply.words()}"; {remedy}'
        return self._fail(said + self._announced_delay(), trouble)

    def _refused(self, reply: Pop3Reply, what: str, otherwise: Trouble) -> Command | None:
        trouble = trouble_of(reply, otherwise=otherwise)
        remedy = _REMEDIES.get(trouble, "")
        if wants_pause(reply):
            remedy += "; it wants a longer pause between two logins, so look into the mailbox less often"
        if trouble is Trouble.BUSY:
            remedy += self._announced_delay()
        return self._fail(f'the server {what} and says "{reply.words()}"{remedy}', trouble)

    def _announced_delay(self) -> str:
        """Return what the server announced of that, "" for nothing: without response codes a refusal may mean it."""
        delay_s = self.capabilities.login_delay_s
        return f"; it lets a user log in once in {delay_s} s" if delay_s else ""

    def _say(self, phase: HandshakePhase, command: Command) -> Command:
        self.phase = phase
        return command

    def _fail(self, reason: str, trouble: Trouble) -> Command | None:
        self.phase = HandshakePhase.FAILED
        self.fault = HandshakeFault(reason, trouble)
        return None

    _ACTIONS: ClassVar[Mapping[HandshakePhase, Callable[["Handshake", Pop3Reply], Command | None]]] = {
        HandshakePhase.GREETING: _on_greeting,
        HandshakePhase.CAPA: _on_capa,
        HandshakePhase.STLS: _on_stls,
        HandshakePhase.LOGIN: _on_login,
    }


_REMEDIES = {
    Trouble.IN_USE: "; another program has the mailbox open, so let only one read it",
    Trouble.BUSY: "; it is tried again later",
    Trouble.CONFIGURATION: "; ask whoever runs the server",
}
