"""A visit to the relay that tells, step by step and in plain words, what works."""

import secrets
import time
from datetime import UTC, datetime

from app.cli.advice import for_fault, for_sender, for_settings
from app.cli.ending import CONFIGURATION, TEMPORARY
from app.delivery.connection import Connection, RelayFault
from app.domain.alert import AcceptedAlert, Alert, Severity
from app.domain.envelope import Delivery, Envelope, Letterhead, QueuedMail, Templates
from app.domain.ids import IdSource
from app.domain.outcome import Outcome, Scope, Sent
from app.mail.compose import Composer
from app.protocols.smtp.transaction import OutgoingMail
from app.settings.model import Settings


class RelayCheck:
    """Connects to the relay of the settings as the daemon would, and prints what happens."""

    def __init__(self, settings: Settings, templates: Templates) -> None:
        assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
        self._relay = settings.outgoing_relay()
        self._helo_name = settings.announced_name()
        self._letterhead = Letterhead(settings.server_name, settings.mail_from, settings.mail_to, templates)
        self._dialogue: list[str] = []

    async def run(self, *, with_mail: bool) -> int:
        """Return the exit code: 0 if all is well."""
        _say("ok", f"the settings are complete; mail goes from {self._sender} over {self._relay}")
        for warning in for_settings(self._relay, self._helo_name, self._sender):
            _say("note", warning)
        try:
            connection = await Connection.open(self._relay, helo_name=self._helo_name, on_line=self._note_line)
        except RelayFault as fault:
            return self._failed(fault)
        try:
            self._tell_session(connection)
            return await self._send_test(connection) if with_mail else 0
        finally:
            await connection.close()

    @property
    def _sender(self) -> str:
        return self._letterhead.sender.address

    def _note_line(self, who: str, line: str) -> None:
        self._dialogue.append(f"{who}: {line}")

    def _failed(self, fault: RelayFault) -> int:
        _say("FAILED", str(fault))
        for remedy in for_fault(self._relay, fault):
            _say("do", remedy)
        self._tell_dialogue()
        return CONFIGURATION if fault.outcome.scope is Scope.CONFIGURATION else TEMPORARY

    def _tell_session(self, connection: Connection) -> None:
        _say("ok", f"connected, and greeted it as {connection.helo_name}")
        certificate = connection.certificate
        if certificate is not None:
            _say(
                "ok",
                f"encrypted by {connection.tls_version}; the certificate is for {', '.join(certificate.names)}, "
                f"by {certificate.issuer}, until {certificate.expires_at:%Y-%m-%d}",
            )
        else:
            _say("note", "not encrypted")
        if connection.mechanism:
            _say("ok", f"logged in as {self._relay.username} by {connection.mechanism}")

    async def _send_test(self, connection: Connection) -> int:
        mail = _test_mail(self._letterhead)
        recipients = tuple(mailbox.address for mailbox in self._letterhead.recipients)
        data = Composer(mac_key=secrets.token_bytes()).render(mail)
        attempt = await connection.send(OutgoingMail(self._sender, recipients, data))
        for recipient, outcome in zip(recipients, attempt.outcomes, strict=True):
            _say(*_in_words(recipient, outcome))
        if all(isinstance(outcome, Sent) for outcome in attempt.outcomes):
            return 0
        for remedy in for_sender(self._relay, self._sender, attempt.outcomes):
            _say("do", remedy)
        self._tell_dialogue()
        return TEMPORARY

    def _tell_dialogue(self) -> None:
        if self._dialogue:
            print("\nWhat was said (C: this machine, S: the relay):")
            print("\n".join(f"  {line}" for line in self._dialogue))


def _say(mark: str, text: str) -> None:
    print(f"{mark:<7} {text}", flush=True)


def _in_words(recipient: str, outcome: Outcome) -> tuple[str, str]:
    if isinstance(outcome, Sent):
        return "ok", f"the relay took the test mail to {recipient} ({outcome.reply})"
    said = f" ({outcome.reply})" if outcome.reply else ""
    return "FAILED", f"{recipient}: {outcome.reason}{said}"


def _test_mail(letterhead: Letterhead) -> QueuedMail:
    now = datetime.now(UTC)
    number = IdSource().next_id(time.time_ns() // 1_000_000)
    alert = Alert(
        subject="Test mail of mailalert check",
        content="Mail can leave with these settings. Nobody needs to do anything.",
        severity=Severity.INFO,
        source="mailalert check",
    )
    return QueuedMail(
        envelope=Envelope(
            id=number, alert_id=number, letterhead_id=0, made_at=now, severity=alert.severity, due_at=now
        ),
        accepted=AcceptedAlert(id=number, received_at=now, alert=alert),
        letterhead=letterhead,
        deliveries=tuple(map(Delivery, range(len(letterhead.recipients)))),
    )
