"""Logins by an access token, for relays and for the mailbox: how they are written, and what follows."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from app.domain.errors import ConfigurationError
from app.net.secret_file import read_secret
from app.net.token_server import OAuthClient
from app.settings.secret_files import SecretFiles
from app.settings.sections import STRICT
from app.settings.values import Secret, TokenUrl


class OAuthFlow(StrEnum):
    """How an access token is got; the values are grant types of RFC 6749 (sections 4.4 and 6)."""

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant type


class OAuthTable(BaseModel):
    """`[relays.oauth]` and `[mailbox.oauth]`: where the access tokens come from, and who asks for them."""

    model_config = STRICT

    flow: OAuthFlow
    token_url: TokenUrl
    client_id: str = Field(min_length=1)
    client_secret: Secret | None = None
    client_secret_file: Path | None = None
    scope: str = ""
    refresh_token_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSetup:
    """Who asks for access tokens; with a `refresh_token_file` they are for the person who consented."""

    client: OAuthClient
    refresh_token_file: Path | None = None


def with_client_secret(oauth: OAuthTable, files: SecretFiles, *, prefix: str, credential: str) -> OAuthTable:
    """Return the table with the client's secret from its file, or from the systemd `credential`.

    `prefix` stands before the names of its settings in a complaint. Raises ConfigurationError if it is of no use.
    """
    found = files.find(
        f"{prefix}client_secret",
        given=oauth.client_secret is not None,
        file=oauth.client_secret_file,
        credential=credential,
    )
    return oauth.model_copy(update={"client_secret": SecretStr(found.secret)}) if found else oauth


def oauth_setup(oauth: OAuthTable, *, prefix: str) -> OAuthSetup:
    """Return what follows from the table, secret in place. Raises ConfigurationError if it is incomplete."""
    if oauth.flow is OAuthFlow.CLIENT_CREDENTIALS and not oauth.client_secret:
        raise ConfigurationError(f"{prefix}client_secret: is missing; set client_secret_file")
    if (oauth.flow is OAuthFlow.REFRESH_TOKEN) != bool(oauth.refresh_token_file):
        raise ConfigurationError(f'{prefix}refresh_token_file: goes with flow = "refresh_token"')
    client = OAuthClient(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret.get_secret_value() if oauth.client_secret else "",
        scope=oauth.scope,
    )
    return OAuthSetup(client=client, refresh_token_file=oauth.refresh_token_file)


def check_refresh_token(oauth: OAuthSetup | None, *, prefix: str) -> None:
    """Raise ConfigurationError if the file of the refresh token is of no use now."""
    if oauth and oauth.refresh_token_file:
        read_secret(oauth.refresh_token_file, name=f"{prefix}refresh_token_file")
