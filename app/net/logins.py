"""Logins that need no server: none, a fixed one, or a password read from its file each time."""

import asyncio
from pathlib import Path

from app.domain.errors import ConfigurationError, LoginUnavailable
from app.domain.login import Login
from app.net.secret_file import read_secret


class NoLogin:
    """For a relay that wants none."""

    async def current(self) -> None:
        """Return None."""

    def refused(self, login: Login) -> None:
        """Nothing is kept."""


class FixedLogin:
    """A login that stands in the settings."""

    def __init__(self, login: Login) -> None:
        self._login = login

    async def current(self) -> Login:
        """Return the login."""
        return self._login

    def refused(self, login: Login) -> None:
        """It stays: only a person can change it."""


class PasswordFile:
    """A user, and a file with the password that is read for each connection: a rotated one works at once."""

    def __init__(self, username: str, path: Path) -> None:
        self._username = username
        self._path = path

    async def current(self) -> Login:
        """Return the login with the password as it is now. Raises LoginUnavailable, which never shows it."""
        try:
            password = await asyncio.to_thread(read_secret, self._path, name="password_file")
        except ConfigurationError as error:
            raise LoginUnavailable(str(error), is_configuration=True) from error
        return Login(self._username, password)

    def refused(self, login: Login) -> None:
        """Nothing is kept: the next connection reads the file anyway."""
