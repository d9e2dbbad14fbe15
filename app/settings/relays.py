"""The relays of the settings: what follows from each table of `[[relays]]`, and from the short form `relay`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.domain.errors import ConfigurationError
from app.domain.relay import Relay, RelayPolicy, parse_relay
from app.settings.oauth import OAuthSetup, check_refresh_token, oauth_setup
from app.settings.relay_tables import RelayTable, has_password, setting_of, table_name
from app.settings.tls_files import check_tls_files, tls_files


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
    prefix = setting_of(name, "")
    tls = tls_files(ca=table.ca_file, certificate=table.client_certificate, key=table.client_key, prefix=prefix)
    if table.password and has_password(table.url):
        twice = setting_of(name, "password") if name else "relay_password"
        raise ConfigurationError(f"{twice}: given twice, by itself and in the URL; keep one of them")
    password = table.password.get_secret_value() if table.password else ""
    relay = parse_relay(table.url.get_secret_value(), password=password, setting=setting)
    if objection := _objection_to_login(relay, by_token=bool(table.oauth)):
        raise ConfigurationError(f"{setting}: {objection}")
    return RelaySetup(
        relay=replace(relay, name=name or relay.name, tls=tls),
        policy=RelayPolicy(
            priority=table.priority,
            connections=table.connections,
            mails_per_connection=table.mails_per_connection,
            rate=table.rate,
        ),
        password_file=table.password_file,
        oauth=oauth_setup(table.oauth, prefix=prefix) if table.oauth else None,
    )


def check_files(setups: Sequence[RelaySetup]) -> None:
    """Raise ConfigurationError if a file that is needed at each connection is of no use now."""
    for setup in setups:
        prefix = setting_of(setup.relay.name, "")
        check_tls_files(setup.relay.tls, prefix=prefix)
        check_refresh_token(setup.oauth, prefix=prefix)


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
