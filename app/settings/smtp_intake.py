"""The section of the SMTP intake: where mail comes in to become alerts, and from whom."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from app.domain.errors import ConfigurationError
from app.settings.measures import ByteCount, size_within
from app.settings.sections import STRICT
from app.settings.values import ListeningHost, Networks, is_loopback
from app.smtpd.tls import ServerTls

MAX_MESSAGE = 64 << 20  # a mail is held in memory while it is read


class SmtpIntakeSettings(BaseModel):
    """Where mail is taken, and from whom. Nothing listens unless it is `enabled`."""

    model_config = STRICT

    enabled: bool = False
    host: ListeningHost = "127.0.0.1"
    port: int = Field(default=2525, ge=0, le=65535)
    allow_from: Networks = ()
    require_auth: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    message_limit: Annotated[ByteCount, size_within(1 << 10, MAX_MESSAGE)] = 16 << 20

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the listener."""
        return is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Whether everybody who can connect may send without a login."""
        return self.is_loopback and not self.require_auth and not self.allow_from


def server_tls(smtp: SmtpIntakeSettings) -> ServerTls | None:
    """Return what STARTTLS needs, None where it is not offered. Reads files; raises ConfigurationError."""
    return ServerTls(smtp.tls_certificate, smtp.tls_key) if smtp.tls_certificate else None


def unguarded_smtp(smtp: SmtpIntakeSettings, *, has_tokens: bool) -> list[str]:
    """Return what is wrong with who may send, or with the certificate; nothing while the intake is off."""
    if not smtp.enabled:
        return []
    return _certificate_problems(smtp) + _access_problems(smtp, has_tokens=has_tokens)


def _certificate_problems(smtp: SmtpIntakeSettings) -> list[str]:
    if smtp.tls_key and not smtp.tls_certificate:
        return ["smtp_intake.tls_key: is there without tls_certificate; name the certificate too"]
    try:
        server_tls(smtp)
    except ConfigurationError as error:
        return [str(error)]
    return []


def _access_problems(smtp: SmtpIntakeSettings, *, has_tokens: bool) -> list[str]:
    problems = []
    if smtp.require_auth and not has_tokens:
        problems.append("smtp_intake.require_auth: there is no token to log in with, none with the scope send; add one")
    needs_login = smtp.require_auth or not smtp.allow_from
    if smtp.is_loopback or not needs_login or (has_tokens and smtp.tls_certificate):
        return problems
    return [
        *problems,
        f"smtp_intake.host: {smtp.host} can be reached from other machines, so who may send must be said",
        "  (set smtp_intake.allow_from to the networks of those who may;",
        "   or smtp_intake.tls_certificate and a token with the scope send, so that they can log in;",
        "   or listen on 127.0.0.1 only)",
    ]
