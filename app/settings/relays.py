"""The relays of the settings: what follows from each table of `[[relays]]`, and from the short form `relay`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.domain.errors import ConfigurationError
from app.domain.relay import Relay, RelayPolicy, TlsFiles, parse_relay
from app.net.errors import TlsFilesUnusable
from app.net.secret_file import read_secret
from app.net.tls import MACHINE_STORE, client_context
from app.net.token_server import OAuthClient
from app.settings.relay_tables import OAuthFlow, OAuthTable, RelayTable, has_password, setting_of, table_name


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSetup:
    """Who asks for access tokens; with a `refresh_token_file` they are for the person who consented."""

    client: OAuthClient
    refresh_token_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySetup:
    """A relay, how it is used, and how to log in. A `password_file` is read again at each connection."""

    relay: Relay
    policy: RelayPolicy
    password_file: Path | None = None
    oauth: OAuthSetup | None = None


def relay_setups(tables: Sequence[RelayTable]) -> tuple[RelaySetup, ...]:
    """Return what follows from the tables of `[[relays]]`, secrets in place, in their order.

    Raises ConfigurationError if a URL is wrong, a login incomplete, or two relays have one name.
    """
    setups = tuple(relay_setup(table, table_name(table, number)) for number, table in enumerate(tables, start=1))
    for name, count in Counter(setup.relay.name for setup in setups).items():
        if count > 1:
            raise ConfigurationError(f'relays: {count} of them are called "{name}"; give each a name of its own')
    return setups


def relay_setup(table: RelayTable, name: str = "") -> RelaySetup:
    """Return what follows from one table; without a `name` it is the short form, and called after its host."""
    setting = setting_of(name, "url") if name else "relay"
    if table.client_key and not table.client_certificate:
        raise ConfigurationError(f"{setting_of(name, 'client_key')}: it needs a client_certificate beside it")
    if table.password and has_password(table.url):
        twice = setting_of(name, "password") if name else "relay_password"
        raise ConfigurationError(f"{twice}: given twice, by itself and in the URL; keep one of them")
    password = table.password.get_secret_value() if table.password else ""
    relay = parse_relay(table.url.get_secret_value(), password=password, setting=setting)
    if objection := _objection_to_login(relay, by_token=bool(table.oauth)):
        raise ConfigurationError(f"{setting}: {objection}")
    return RelaySetup(
        relay=replace(relay, name=name or relay.name, tls=_tls_files(table)),
        policy=RelayPolicy(
            priority=table.priority,
            connections=table.connections,
            mails_per_connection=table.mails_per_connection,
            rate=table.rate,
        ),
        password_file=table.password_file,
        oauth=_oauth_setup(table.oauth, name) if table.oauth else None,
    )


def check_files(setups: Sequence[RelaySetup]) -> None:
    """Raise ConfigurationError if a file that is needed at each connection is of no use now."""
    for setup in setups:
        name = setup.relay.name
        try:
            if setup.relay.tls != MACHINE_STORE:
                client_context(setup.relay.tls)
        except TlsFilesUnusable as error:
            raise ConfigurationError(f'relay "{name}": {error}') from None
        if setup.oauth and setup.oauth.refresh_token_file:
            read_secret(setup.oauth.refresh_token_file, name=setting_of(name, "refresh_token_file"))


def _objection_to_login(relay: Relay, *, by_token: bool) -> str:
    """Return what is wrong with the user and password, empty if nothing is."""
    username, secret = relay.username, relay.password
    if by_token and secret:
        return "a password beside oauth; keep one of them"
    if by_token:
        return "" if username else "oauth without a user; put user@ into the URL"
    if bool(username) == bool(secret):
        return ""
    missing, have = ("password", "user") if username else ("user", "password")
    return (
        f"a {have} without a {missing}; put user@ into the URL and the password into a file "
        "(relay_password_file, or password_file below [[relays]])"
    )


def _oauth_setup(oauth: OAuthTable, name: str) -> OAuthSetup:
    if oauth.flow is OAuthFlow.CLIENT_CREDENTIALS and not oauth.client_secret:
        raise ConfigurationError(f"{setting_of(name, 'client_secret')}: is missing; set client_secret_file")
    if (oauth.flow is OAuthFlow.REFRESH_TOKEN) != bool(oauth.refresh_token_file):
        raise ConfigurationError(f'{setting_of(name, "refresh_token_file")}: goes with flow = "refresh_token"')
    client = OAuthClient(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret.get_secret_value() if oauth.client_secret else "",
        scope=oauth.scope,
    )
    return OAuthSetup(client=client, refresh_token_file=oauth.refresh_token_file)


def _tls_files(table: RelayTable) -> TlsFiles:
    ca, certificate, key = (str(file or "") for file in (table.ca_file, table.client_certificate, table.client_key))
    return TlsFiles(ca=ca, certificate=certificate, key=key)
