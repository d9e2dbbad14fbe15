"""The settings: every name, its type, its default and its bounds."""

import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.address import Mailbox
from app.domain.alert import Severity
from app.domain.relay import DEFAULT_POLICY
from app.settings.measures import Duration, time_within
from app.settings.relay_tables import MAX_CONNECTIONS, RelayTable, RelayTables
from app.settings.relays import RelaySetup, relay_setup, relay_setups
from app.settings.sections import (
    AlarmSettings,
    DkimSettings,
    DkimSetup,
    HttpSettings,
    Lifetime,
    LifetimeSettings,
)
from app.settings.values import HeloName, Name, OneMailbox, Secret, SomeMailboxes

PREFIX = "MAILALERT_"
DELIMITER = "__"
MAX_RETENTION = timedelta(days=36_500)  # dates do not go back for ever
MAX_SERVER_NAME = 100  # it stands before every subject, and a subject line should stay readable


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
    relay_connections: int = Field(default=DEFAULT_POLICY.connections, ge=1, le=MAX_CONNECTIONS)
    relays: RelayTables = ()
    helo_name: HeloName | None = None
    mail_from: OneMailbox = None
    mail_to: SomeMailboxes = ()
    data_dir: Path = Path("var")
    retention: Annotated[Duration, time_within(timedelta(hours=1), MAX_RETENTION)] = timedelta(days=30)
    backlog_limit: int = Field(default=5_000_000, ge=1)
    lifetime: Lifetime = timedelta(hours=24)
    drain_timeout: Annotated[Duration, time_within(most=timedelta(hours=1))] = timedelta(seconds=30)
    degraded_after: Annotated[Duration, time_within(least=timedelta(seconds=1))] = timedelta(minutes=5)
    startup_notice: bool = True
    templates_dir: Path | None = None
    http: HttpSettings = HttpSettings()
    alarm: AlarmSettings = AlarmSettings()
    dkim: DkimSettings = DkimSettings()
    lifetimes: LifetimeSettings = LifetimeSettings()
    sandbox: bool = False  # only `serve --sandbox` sets it

    def outgoing_relays(self) -> tuple[RelaySetup, ...]:
        """Return the relays with their secrets, in the order of the settings; none in the sandbox.

        Raises ConfigurationError when a URL is wrong or a login incomplete.
        """
        if self.relay is None:
            return relay_setups(self.relays)
        table = RelayTable(
            url=self.relay,
            password=self.relay_password,
            password_file=self.relay_password_file,
            connections=self.relay_connections,
        )
        return (relay_setup(table),)

    def lifetime_of(self, severity: Severity) -> timedelta:
        """Return for how long mails of this severity are tried while a relay is usable."""
        of_severity: timedelta | None = getattr(self.lifetimes, severity.value)
        return self.lifetime if of_severity is None else of_severity

    def alarm_recipients(self) -> tuple[Mailbox, ...]:
        """Return who gets alarms by mail: `alarm.to`, else those who get the alerts."""
        return self.mail_to if self.alarm.to is None else self.alarm.to

    def dkim_setup(self) -> DkimSetup | None:
        """Return what mails are signed with; None if they are not to be."""
        selector, key = self.dkim.selector, self.dkim.key
        if selector is None or key is None:
            return None
        assert self.mail_from is not None, "load_settings refuses to go on without a sender"
        domain = self.dkim.domain or self.mail_from.domain
        return DkimSetup(domain=domain, selector=selector, key=key.get_secret_value().encode())

    def announced_name(self) -> str | None:
        """Return the name for EHLO: `helo_name`, else the FQDN; None if it has no dot, for relays refuse that.

        May ask the DNS, so call it once.
        """
        name = self.helo_name or socket.getfqdn()
        return name if self.helo_name or ("." in name and not name.startswith("localhost")) else None

    def secrets(self) -> tuple[str, ...]:
        """Return every secret in plain text, for the logs to blot out."""
        setups = self.outgoing_relays()
        wrapped = (self.http.token, self.alarm.url, self.alarm.ping_url)
        key = self.dkim.key.get_secret_value() if self.dkim.key else ""
        secrets = [
            *(setup.relay.password for setup in setups),
            *(setup.oauth.client.client_secret for setup in setups if setup.oauth),
            *(secret.get_secret_value() for secret in wrapped if secret),
            *(line for line in key.splitlines() if "-----" not in line),  # a log line shows one at most
        ]
        return tuple(secret for secret in secrets if secret)
