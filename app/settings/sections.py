"""The sections of the settings, each a table of the configuration file."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.domain.verdict import LONGEST_LIFE
from app.settings.measures import ByteCount, Duration, size_within, time_within
from app.settings.recipients import Recipients
from app.settings.values import (
    Command,
    DomainName,
    HostNames,
    ListeningHost,
    Networks,
    Pem,
    Selector,
    SomeMailboxes,
    Token,
    WebAddress,
    is_loopback,
)

STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
MAX_BODY = 64 << 20  # a body is held in memory while it is read
MAX_ATTACHMENTS = 25 << 20  # the large providers take 20 to 35 MB of mail, and base64 adds a third
Lifetime = Annotated[Duration, time_within(timedelta(minutes=1), LONGEST_LIFE)]


class HttpSettings(BaseModel):
    """Where alerts are taken, and from whom."""

    model_config = STRICT

    host: ListeningHost = "127.0.0.1"
    port: int = Field(default=8825, ge=0, le=65535)
    token: Token | None = None
    token_file: Path | None = None
    allowed_recipients: Recipients = ()
    allowed_hosts: HostNames = ()
    trusted_proxies: Networks = ()
    body_limit: Annotated[ByteCount, size_within(1 << 10, MAX_BODY)] = 1 << 20
    attachments_limit: Annotated[ByteCount, size_within(0, MAX_ATTACHMENTS)] = 10 << 20

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the listener."""
        return is_loopback(self.host)


class AlarmSettings(BaseModel):
    """Whom the system tells of its own troubles, and how. `to` is None for those who get the alerts."""

    model_config = STRICT

    to: SomeMailboxes | None = None
    url: WebAddress | None = None
    command: Command = ()
    ping_url: WebAddress | None = None


class DkimSettings(BaseModel):
    """With which key the mails are signed, and where its public half is published (RFC 6376 section 3.6.2.1)."""

    model_config = STRICT

    domain: DomainName | None = None
    selector: Selector | None = None
    key: Pem | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSetup:
    """A complete set of them. `key` is in PEM form, and never shows in a repr."""

    domain: str
    selector: str
    key: bytes = field(repr=False)


class LifetimeSettings(BaseModel):
    """For how long mails of a severity are tried, where that differs from `lifetime`."""

    model_config = STRICT

    info: Lifetime | None = None
    warning: Lifetime | None = None
    error: Lifetime | None = None
    critical: Lifetime | None = None
