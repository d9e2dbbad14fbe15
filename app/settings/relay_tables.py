"""`[[relays]]` as they are written: each table, its types and bounds, and its secrets from files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import NoDecode

from app.domain.relay import DEFAULT_POLICY
from app.settings.measures import RelayRate
from app.settings.oauth import OAuthTable, with_client_secret
from app.settings.secret_files import SecretFiles
from app.settings.sections import STRICT
from app.settings.tables import tables_of
from app.settings.values import RelayName, Secret

MAX_CONNECTIONS = 100  # relays count connections, and each costs a socket and a buffer


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
    """Tell whether the password stands in the URL. That the URL is wrong is told later."""
    try:
        return bool(urlsplit(url.get_secret_value()).password)
    except ValueError:
        return False


def setting_of(relay: str, name: str) -> str:
    """Return how a complaint calls the setting `name` of a relay; without one, what stands before it."""
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
        oauth = with_client_secret(
            table.oauth, files, prefix=setting_of(name, ""), credential=f"relay_{name}_client_secret"
        )
        table = table.model_copy(update={"oauth": oauth})
    return table
