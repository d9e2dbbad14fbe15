"""Logging in with an access token of OAuth 2.0, as Microsoft 365 and Google ask for."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from app.domain.errors import ConfigurationError, LoginUnavailable
from app.domain.login import Login, SecretKind
from app.net.secret_file import read_secret, replace_secret
from app.net.token_server import OAuthClient, TokenGrant, request_token

log = structlog.get_logger()

MARGIN_S = 300.0  # a token is replaced this long before its end: clocks differ, and a login takes its time


class OAuthLogin:
    """The account `username`, and a token that is kept until shortly before its end.

    With a `refresh_token_file` the token is for the person who consented (Google, Microsoft), else for the
    client itself (Microsoft's applications).
    """

    def __init__(
        self,
        username: str,
        client: OAuthClient,
        *,
        refresh_token_file: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._username = username
        self._client = client
        self._monotonic = monotonic
        self._refresh_tokens = RefreshTokens(refresh_token_file) if refresh_token_file else None
        self._login: Login | None = None
        self._renew_at = 0.0  # monotonic seconds
        self._fetching = asyncio.Lock()

    async def current(self) -> Login:
        """Return the login with a token that is good for a while; one fetch at a time serves all who wait.

        Raises LoginUnavailable.
        """
        async with self._fetching:
            if self._login is None or self._monotonic() >= self._renew_at:
                self._login = None
                self._keep(await self._fetch())
            assert self._login is not None
            return self._login

    def refused(self, login: Login) -> None:
        """Forget the token if it is the one that the relay refused."""
        if self._login == login:
            self._login = None

    async def _fetch(self) -> TokenGrant:
        if self._refresh_tokens is None:
            return await request_token(self._client)
        refresh_token = await self._refresh_tokens.current()
        grant = await request_token(self._client, refresh_token=refresh_token)
        if grant.refresh_token and grant.refresh_token != refresh_token:
            await self._refresh_tokens.replace(grant.refresh_token)
        return grant

    def _keep(self, grant: TokenGrant) -> None:
        self._login = Login(self._username, grant.access_token, SecretKind.ACCESS_TOKEN)
        # A token that does not live much longer than the margin is used for half of its life.
        self._renew_at = self._monotonic() + max(grant.lifetime_s - MARGIN_S, grant.lifetime_s / 2)


class RefreshTokens:
    """The refresh token in its file, and the one that has taken its place (RFC 6749 section 6)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stored = ""  # what the file held when it was last read
        self._newer = ""  # what holds in its place until the file changes

    async def current(self) -> str:
        """Return the token to use now. Raises LoginUnavailable if the file is of no use."""
        try:
            stored = await asyncio.to_thread(read_secret, self._path, name="refresh_token_file")
        except ConfigurationError as error:
            raise LoginUnavailable(str(error), is_configuration=True) from error
        if stored != self._stored:
            self._stored, self._newer = stored, ""
        return self._newer or stored

    async def replace(self, newer: str) -> None:
        """Keep the token that the server sent in place of the old one, which may be void from now on."""
        self._newer = newer
        try:
            await asyncio.to_thread(replace_secret, self._path, newer)
        except OSError as error:
            log.warning("refresh_token_not_kept", file=str(self._path), reason=error.strerror)
