"""The settings: every name, its type, its default and its bounds."""

import socket
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.relay import Relay, parse_relay
from app.settings.values import (
    ByteCount,
    Duration,
    HeloName,
    HostNames,
    ListeningHost,
    Name,
    Networks,
    OneMailbox,
    Secret,
    SomeMailboxes,
    Token,
    is_address,
)

PREFIX = "MAILALERT_"
DELIMITER = "__"
MAX_SERVER_NAME = 100  # it stands before every subject, and a subject line should stay readable
MAX_LIFETIME = timedelta(days=7)  # RFC 5321 section 4.5.4.1 gives up after 4 to 5 days; older alerts mislead
MAX_BODY = 64 << 20  # a body is held in memory while it is read
MAX_CONNECTIONS = 100  # relays count connections, and each costs a socket and a buffer


class HttpSettings(BaseModel):
    """Where alerts are taken, and from whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: ListeningHost = "127.0.0.1"
    port: int = Field(default=8825, ge=0, le=65535)
    token: Token | None = None
    token_file: Path | None = None
    allowed_hosts: HostNames = ()
    trusted_proxies: Networks = ()
    body_limit: ByteCount = Field(default=1 << 20, ge=1 << 10, le=MAX_BODY)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the listener."""
        return self.host == "localhost" or (is_address(self.host) and ip_address(self.host).is_loopback)


class Settings(BaseSettings):
    """All settings of the daemon. Made by `app.settings.load.load_settings`, which reads every source."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
    )

    server_name: Name = Field(default_factory=socket.gethostname, max_length=MAX_SERVER_NAME)
    relay: Secret | None = None
    relay_password: Secret | None = None
    relay_password_file: Path | None = None
    relay_connections: int = Field(default=4, ge=1, le=MAX_CONNECTIONS)
    helo_name: HeloName | None = None
    mail_from: OneMailbox = None
    mail_to: SomeMailboxes = ()
    data_dir: Path = Path("var")
    retention: Duration = Field(default=timedelta(days=30), ge=timedelta(hours=1))
    backlog_limit: int = Field(default=5_000_000, ge=1)
    lifetime: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1), le=MAX_LIFETIME)
    drain_timeout: Duration = Field(default=timedelta(seconds=30), le=timedelta(hours=1))
    degraded_after: Duration = Field(default=timedelta(minutes=5), ge=timedelta(seconds=1))
    startup_notice: bool = True
    templates_dir: Path | None = None
    http: HttpSettings = HttpSettings()
    sandbox: bool = False  # only `serve --sandbox` sets it

    def outgoing_relay(self) -> Relay:
        """Return the relay with its password. Raises ConfigurationError when the URL is wrong."""
        assert self.relay is not None, "load_settings refuses to go on without a relay"
        password = self.relay_password.get_secret_value() if self.relay_password else ""
        return parse_relay(self.relay.get_secret_value(), password=password)

    def announced_name(self) -> str | None:
        """Return the name for EHLO: `helo_name`, else the FQDN; None if it has no dot, for relays refuse that.

        May ask the DNS, so call it once.
        """
        name = self.helo_name or socket.getfqdn()
        return name if self.helo_name or ("." in name and not name.startswith("localhost")) else None

    def secrets(self) -> tuple[str, ...]:
        """Return every secret in plain text, for the logs to blot out."""
        relay = self.outgoing_relay().password if self.relay else ""
        token = self.http.token.get_secret_value() if self.http.token else ""
        return tuple(secret for secret in (relay, token) if secret)
