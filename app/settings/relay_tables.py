"""`[[relays]]` as they are written: each table, its types and bounds, and its secrets from files."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import NoDecode

from app.domain.relay import DEFAULT_POLICY
from app.settings.measures import RelayRate
from app.settings.secret_files import SecretFiles
from app.settings.sections import STRICT
from app.settings.tables import tables_of
from app.settings.values import RelayName, Secret, TokenUrl

MAX_CONNECTIONS = 100  # relays count connections, and each costs a socket and a buffer


class OAuthFlow(StrEnum):
    """How an access token is got; the values are grant types of RFC 6749 (sections 4.4 and 6)."""

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant type


class OAuthTable(BaseModel):
    """`[relays.oauth]`: where the access tokens for a relay come from, and who asks for them."""

    model_config = STRICT

    flow: OAuthFlow
    token_url: TokenUrl
    client_id: str = Field(min_length=1)
    client_secret: Secret | None = None
    client_secret_file: Path | None = None
    scope: str = ""
    refresh_token_file: Path | None = None


class RelayTable(BaseModel):
    """One of `[[relays]]`, as it is written."""

    model_config = STRICT

    name: RelayName | None = None
    url: Secret
    password: Secret | None = None
    password_file: Path | None = None
    priority: int = Field(default=DEFAULT_POLICY.priority, ge=1)
    connections: int = Field(default=DEFAULT_POLICY.connections, ge=1, le=MAX_CONNECTIONS)
    rate: RelayRate | None = None
    mails_per_connection: int = Field(default=DEFAULT_POLICY.mails_per_connection, ge=1)
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    oauth: OAuthTable | None = None


RelayTables = Annotated[tuple[RelayTable, ...], NoDecode, tables_of("relays")]


def with_secrets(tables: Sequence[RelayTable], files: SecretFiles) -> tuple[RelayTable, ...]:
    """Return the tables with the secrets that stand in files. Raises ConfigurationError if one is of no use."""
    return tuple(_with_secrets(table, table_name(table, number), files) for number, table in enumerate(tables, start=1))


def table_name(table: RelayTable, number: int) -> str:
    """Return the name of the `number`-th table: its own, else its host. That the URL is wrong is told later."""
    try:
        host = urlsplit(table.url.get_secret_value()).hostname
    except ValueError:
        host = None
    return table.name or host or f"number {number}"


def has_password(url: SecretStr) -> bool:
    """Tell whether the relay's password stands in its URL. That the URL is wrong is told later."""
    try:
        return bool(urlsplit(url.get_secret_value()).password)
    except ValueError:
        return False


def setting_of(relay: str, name: str) -> str:
    """Return how a complaint calls the setting `name` of a relay."""
    return f'relay "{relay}": {name}'


def _with_secrets(table: RelayTable, name: str, files: SecretFiles) -> RelayTable:
    password = files.find(
        setting_of(name, "password"),
        given=table.password is not None or has_password(table.url),
        file=table.password_file,
        credential=f"relay_{name}_password",
    )
    if password:
        table = table.model_copy(update={"password": SecretStr(password.secret), "password_file": password.path})
    if table.oauth:
        table = table.model_copy(update={"oauth": _with_client_secret(table.oauth, name, files)})
    return table


def _with_client_secret(oauth: OAuthTable, name: str, files: SecretFiles) -> OAuthTable:
    found = files.find(
        setting_of(name, "client_secret"),
        given=oauth.client_secret is not None,
        file=oauth.client_secret_file,
        credential=f"relay_{name}_client_secret",
    )
    return oauth.model_copy(update={"client_secret": SecretStr(found.secret)}) if found else oauth
