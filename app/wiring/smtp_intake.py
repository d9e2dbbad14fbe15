"""Builds the SMTP intake: the socket, the server that guards it, and the door behind it."""

import socket
from datetime import timedelta
from ipaddress import ip_network

import structlog

from app.domain.access import Principal
from app.httpkit.access import AccessControl
from app.intake.smtp.door import DoorRules, SmtpDoor
from app.mail.message_id import MessageIds
from app.settings.smtp_intake import SmtpIntakeSettings, server_tls
from app.smtpd.access import ANYWHERE, Access, Logins
from app.smtpd.limits import SmtpLimits
from app.smtpd.server import GuardedSmtpServer
from app.wiring.access import anybody
from app.wiring.ground import Ground
from app.wiring.listening import listen
from app.wiring.taking import TakingHalf

log = structlog.get_logger()

CONNECTIONS = 1000  # as many as the HTTP intake takes
RECIPIENTS = 100  # RFC 5321 section 4.5.3.1.8: what a server must take; more people belong into a receiver
STOP_DEADLINE = timedelta(seconds=1)  # the intake is closed by then: a mail that ends now would be put off anyway


class SmtpIntake:
    """Takes mail from `start` on. `drain` turns clients away with 421, and `stop` ends it."""

    def __init__(self, server: GuardedSmtpServer, door: SmtpDoor, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener
        self.door = door

    async def start(self) -> None:
        """Take mail."""
        port = await self._server.serve(self._listener)
        log.info("smtp_listening", host=self._listener.getsockname()[0], port=port)

    def drain(self) -> None:
        """Take no mail any more; whoever comes is told to try again later."""
        self._server.drain()

    async def stop(self) -> None:
        """End the sessions and stop listening; also without a start before it."""
        await self._server.stop(deadline=STOP_DEADLINE)
        self._listener.close()
        self.door.close()


class TokenLogins:
    """Logins with a token as the password."""

    def __init__(self, access: AccessControl) -> None:
        self._access = access

    def principal_of(self, password: bytes, *, peer: str) -> Principal | None:
        """Return whose token it is."""
        return self._access.principal_of(password, peer=peer)

    def is_barred(self, peer: str) -> bool:
        """Tell whether this address has failed too often of late."""
        return self._access.is_barred(peer)

    def is_over_rate(self, principal: Principal) -> bool:
        """Tell whether the token's rate is used up; if not, one more mail is counted."""
        return self._access.over_rate(principal) is not None


def smtp_intake(ground: Ground, taking: TakingHalf, *, hostname: str) -> SmtpIntake | None:
    """Return the intake, which listens already and takes nothing yet; None if it is off.

    `hostname` is what clients are greeted with. Raises ListenFailed, or ConfigurationError if the certificate or the
    host is of no use.
    """
    settings = ground.settings.smtp_intake
    if not settings.enabled:
        return None
    access = access_of(settings, TokenLogins(ground.access) if ground.access.asks_for_token else None)
    rules = DoorRules(
        anybody=anybody(ground.settings),
        receivers=[receiver.name for receiver in ground.settings.all_receivers()],
        attachments_limit=ground.settings.http.attachments_limit,
        is_ours=MessageIds(ground.journal.mac_key).is_ours,
    )
    door = SmtpDoor(taking.once, rules=rules, is_closed=lambda: taking.ingest.closed)
    limits = SmtpLimits(message_bytes=settings.message_limit, connections=CONNECTIONS, recipients=RECIPIENTS)
    server = GuardedSmtpServer(door, clock=ground.clock, hostname=hostname, limits=limits, access=access)
    return SmtpIntake(server, door, listen(settings.host, settings.port, section="smtp_intake"))


def access_of(settings: SmtpIntakeSettings, logins: Logins | None) -> Access:
    """Return who may send: all from the networks that are named, and on this machine's own address everybody."""
    networks = tuple(ip_network(network, strict=False) for network in settings.allow_from)
    return Access(open_to=ANYWHERE if settings.is_open else networks, logins=logins, tls=server_tls(settings))
