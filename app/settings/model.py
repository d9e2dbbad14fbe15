"""The settings: every name, its type, its default and its bounds."""

import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.alert import Severity
from app.domain.heartbeat import Heartbeat
from app.domain.receiver import DEFAULT_RECEIVER, Receiver
from app.domain.relay import DEFAULT_POLICY
from app.domain.route import Route
from app.settings.heartbeats import HeartbeatTables, all_heartbeats
from app.settings.mailbox import MailboxSettings, MailboxSetup, mailbox_setup
from app.settings.measures import Duration, time_within
from app.settings.probe import ProbeSettings, ProbeSetup, probe_setup
from app.settings.receivers import ReceiverTables, all_receivers
from app.settings.relay_tables import MAX_CONNECTIONS, RelayTable, RelayTables
from app.settings.relays import RelaySetup, relay_setup, relay_setups
from app.settings.routes import RouteTables, route_tree
from app.settings.sections import (
    AlarmSettings,
    DkimSettings,
    DkimSetup,
    HttpSettings,
    Lifetime,
    LifetimeSettings,
)
from app.settings.smtp_intake import SmtpIntakeSettings
from app.settings.tokens import TokenTables
from app.settings.values import HeloName, Name, OneMailbox, Secret, SomeMailboxes

PREFIX = "MAILALERT_"
DELIMITER = "__"
MAX_RETENTION = timedelta(days=36_500)  # dates do not go back for ever
MAX_SERVER_NAME = 100  # it stands before every subject, and a subject line should stay readable


def _some_path(value: object) -> object:
    if value == "":  # to Path the folder in which the daemon was started
        raise ValueError("is empty; write the path of a folder, or leave the setting out")
    return value


SomePath = Annotated[Path, BeforeValidator(_some_path)]


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
    receivers: ReceiverTables = ()
    routes: RouteTables = ()
    data_dir: SomePath = Path("var")
    spool_dir: SomePath = Path("/var/spool/mailalert")
    retention: Annotated[Duration, time_within(timedelta(hours=1), MAX_RETENTION)] = timedelta(days=30)
    backlog_limit: int = Field(default=5_000_000, ge=1)
    lifetime: Lifetime = timedelta(hours=24)
    drain_timeout: Annotated[Duration, time_within(most=timedelta(hours=1))] = timedelta(seconds=30)
    degraded_after: Annotated[Duration, time_within(least=timedelta(seconds=1))] = timedelta(minutes=5)
    startup_notice: bool = True
    templates_dir: SomePath | None = None
    http: HttpSettings = HttpSettings()
    smtp_intake: SmtpIntakeSettings = SmtpIntakeSettings()
    mailbox: MailboxSettings = MailboxSettings()
    probe: ProbeSettings = ProbeSettings()
    tokens: TokenTables = ()
    heartbeats: HeartbeatTables = ()
    hmac_secrets: Mapping[str, SecretStr] = {}  # by the name of the token; `load_settings` reads them from files
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

    def mailbox_setup(self) -> MailboxSetup | None:
        """Return the mailbox that is read, with its secrets; None for none, and in the sandbox.

        Raises ConfigurationError when the URL is wrong, the login incomplete, or the protocol cannot do it.
        """
        return mailbox_setup(self.mailbox, self.mail_from)

    def probe_setup(self) -> ProbeSetup | None:
        """Return how the way of the mail is probed; None if it is not to be, and in the sandbox."""
        return probe_setup(self.probe, self.mail_from)

    def lifetime_of(self, severity: Severity) -> timedelta:
        """Return for how long mails of this severity are tried while a relay is usable."""
        of_severity: timedelta | None = getattr(self.lifetimes, severity.value)
        return self.lifetime if of_severity is None else of_severity

    def all_receivers(self) -> tuple[Receiver, ...]:
        """Return the receivers, `mail_to` as the default one. Raises ConfigurationError if that one is given twice."""
        return all_receivers(self.receivers, self.mail_to)

    def default_receiver(self) -> Receiver:
        """Return who gets what no route leads elsewhere."""
        return next(receiver for receiver in self.all_receivers() if receiver.name == DEFAULT_RECEIVER)

    def route_tree(self) -> Route:
        """Return the routes below the default receiver. Raises ConfigurationError if one names nobody."""
        return route_tree(self.routes, [receiver.name for receiver in self.all_receivers()])

    def all_heartbeats(self) -> tuple[Heartbeat, ...]:
        """Return what is to give signs of life. Raises ConfigurationError if one has a receiver that there is not."""
        return all_heartbeats(self.heartbeats, [receiver.name for receiver in self.all_receivers()])

    def alarm_receiver(self) -> Receiver | None:
        """Return who gets alarms by mail: `alarm.to`, else those who get the alerts; None for nobody."""
        if self.alarm.to is None:
            return self.default_receiver()
        return Receiver(name="alarm", to=self.alarm.to) if self.alarm.to else None

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
        setups, mailbox = self.outgoing_relays(), self.mailbox_setup()
        wrapped = (self.http.token, *self.hmac_secrets.values(), self.alarm.url, self.alarm.ping_url)
        key = self.dkim.key.get_secret_value() if self.dkim.key else ""
        secrets = [
            *(setup.relay.password for setup in setups),
            *(setup.oauth.client.client_secret for setup in setups if setup.oauth),
            *(mailbox.secrets if mailbox else ()),
            *(secret.get_secret_value() for secret in wrapped if secret),
            *(line for line in key.splitlines() if "-----" not in line),  # a log line shows one at most
        ]
        return tuple(secret for secret in secrets if secret)
