"""A visit to a relay that tells, step by step and in plain words, what works."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.cli.advice import for_fault, for_sender, for_settings
from app.cli.ending import CONFIGURATION, TEMPORARY
from app.cli.findings import DO, FAILED, NOTE, OK, say, show_dialogue
from app.delivery.connection import Connection
from app.delivery.opening import Approach, RelayFault
from app.domain.alert import Alert, Severity
from app.domain.envelope import Letterhead, QueuedMail
from app.domain.ids import IdSource
from app.domain.lone_mail import lone_mail
from app.domain.outcome import Outcome, Scope, Sent, in_words
from app.mail.compose import Composer, Signer
from app.net.tls import PeerCertificate
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.transaction import OutgoingMail
from app.settings.relays import RelaySetup
from app.wiring.logins import logins_of

DAYS_TO_RENEW = 14  # certificates of 90 days are renewed 30 before their end; at 14 something is wrong with that


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What mails are made with, whatever the relay: a letterhead for each receiver, that of the default one first."""

    letterheads: Sequence[Letterhead]
    helo_name: str | None
    signer: Signer | None

    @property
    def sender(self) -> str:
        """The address of the envelope."""
        return self.letterheads[0].sender.address


class RelayCheck:
    """Connects to one relay as the daemon would, and prints what happens."""

    def __init__(self, setup: RelaySetup, sending: Sending) -> None:
        self._relay = setup.relay
        self._token_url = setup.oauth.client.shown_url if setup.oauth else ""
        self._sending = sending
        self._dialogue: list[str] = []
        self._approach = Approach(
            relay=setup.relay, logins=logins_of(setup), helo_name=sending.helo_name, on_line=self._note_line
        )

    async def run(self, *, with_mail: bool) -> int:
        """Return the exit code: 0 if all is well."""
        print(f'\nRelay "{self._relay.name}", {self._relay}')
        for warning in for_settings(self._relay, self._sending.helo_name, self._sending.sender):
            say(NOTE, warning)
        code = await self._visit(with_mail=with_mail)
        show_dialogue(self._dialogue)
        return code

    async def _visit(self, *, with_mail: bool) -> int:
        try:
            connection = await Connection.open(self._approach)
        except RelayFault as fault:
            return self._failed(fault)
        try:
            self._tell_session(connection)
            return await self._send_tests(connection) if with_mail else 0
        finally:
            await connection.close()

    def _note_line(self, who: str, line: str) -> None:
        self._dialogue.append(f"{who}: {line}")

    def _failed(self, fault: RelayFault) -> int:
        say(FAILED, str(fault))
        for remedy in for_fault(self._relay, fault):
            say(DO, remedy)
        return CONFIGURATION if fault.outcome.scope is Scope.CONFIGURATION else TEMPORARY

    def _tell_session(self, connection: Connection) -> None:
        say(OK, f"connected, and greeted it as {connection.helo_name}")
        if connection.certificate is None:
            say(NOTE, "not encrypted")
        else:
            for mark, text in certificate_findings(connection.certificate, connection.tls_version, datetime.now(UTC)):
                say(mark, text)
        if connection.mechanism:
            by_token = f", with a token from {self._token_url}" if self._token_url else ""
            say(OK, f"logged in as {self._relay.username} by {connection.mechanism}{by_token}")
        say(OK, f"of what it can do this is used: {', '.join(_used(connection.capabilities)) or 'nothing'}")

    async def _send_tests(self, connection: Connection) -> int:
        """Send a test mail to every receiver, all over the one connection."""
        codes = [await self._send_test(connection, letterhead) for letterhead in self._sending.letterheads]
        return max(codes)

    async def _send_test(self, connection: Connection, letterhead: Letterhead) -> int:
        sender = self._sending.sender
        recipients = tuple(mailbox.address for mailbox in letterhead.recipients)
        composer = Composer(mac_key=secrets.token_bytes(), signer=self._sending.signer)
        attempt = await connection.send(
            OutgoingMail(sender, recipients, composer.render(_test_mail(letterhead, self._relay.name)))
        )
        for recipient, outcome in zip(recipients, attempt.outcomes, strict=True):
            say(*_finding(recipient, outcome))
        if all(isinstance(outcome, Sent) for outcome in attempt.outcomes):
            return 0
        for remedy in for_sender(self._relay, sender, attempt.outcomes):
            say(DO, remedy)
        return TEMPORARY


def certificate_findings(
    certificate: PeerCertificate, tls_version: str | None, now: datetime, *, consequence: str = "no mail leaves"
) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of the certificate: whose it is, from whom, and how long it is good.

    `consequence` is what comes of one that has expired.
    """
    days = (certificate.expires_at - now).days
    subject = f"{certificate.subject}, " if certificate.subject else ""
    yield OK, f"encrypted by {tls_version}; the certificate is for {subject}{', '.join(certificate.names)}"
    yield OK, f"it is from {certificate.issuer}, and good until {certificate.expires_at:%Y-%m-%d} ({days} days)"
    if days < DAYS_TO_RENEW:
        yield NOTE, f"{consequence} once the certificate has expired: ask its owner to renew it soon"


def _used(capabilities: Capabilities) -> list[str]:
    named = {
        "PIPELINING": capabilities.pipelining,
        f"SIZE {capabilities.size_limit or ''}".rstrip(): capabilities.size,
        "SMTPUTF8": capabilities.smtputf8,
        "DSN": capabilities.dsn,
        f"MAILMAX={capabilities.max_mails}": capabilities.max_mails,
        f"RCPTMAX={capabilities.max_recipients}": capabilities.max_recipients,
    }
    return [name for name, there in named.items() if there]


def _finding(recipient: str, outcome: Outcome) -> tuple[str, str]:
    if isinstance(outcome, Sent):
        return OK, f"the relay took the test mail to {recipient} ({outcome.reply})"
    return FAILED, f"{recipient}: {in_words(outcome)}"


def _test_mail(letterhead: Letterhead, relay: str) -> QueuedMail:
    alert = Alert(
        subject="Test mail of mailalert check",
        content=f"Mail can leave over the relay {relay}. Nobody needs to do anything.",
        severity=Severity.INFO,
        source="mailalert check",
    )
    number = IdSource().next_id(time.time_ns() // 1_000_000)
    return lone_mail(alert, letterhead, number=number, at=datetime.now(UTC))
