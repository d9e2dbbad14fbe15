"""How the client proves to a relay who it is."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol


class SecretKind(Enum):
    """What the secret of a login is."""

    PASSWORD = auto()
    ACCESS_TOKEN = auto()  # of OAuth 2.0 (RFC 6749 section 1.4)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and the secret for one attempt. The secret never shows in a repr."""

    username: str
    secret: str = field(repr=False)
    kind: SecretKind = SecretKind.PASSWORD


class Logins(Protocol):
    """Where the login for a new connection comes from."""

    async def current(self) -> Login | None:
        """Return the login to use now, None for a relay that wants none.

        Raises LoginUnavailable when there should be one and it cannot be had.
        """

    def refused(self, login: Login) -> None:
        """Note that the relay refused `login`: what was kept of it must not be used again."""
