"""What an opened session knows of the server, for `mailalert check` to tell."""

from collections.abc import Callable
from dataclasses import dataclass

from app.net.tls import PeerCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """How the session came about: `certificate` and `tls_version` are None in plaintext.

    `login_by` is the mechanism or command that logged in, "" where the server knew its client already. `abilities` are
    those of the server that the client makes use of, by their names in the protocol.
    """

    certificate: PeerCertificate | None
    tls_version: str | None
    login_by: str
    abilities: tuple[str, ...]


OnOpen = Callable[[Introduction], None]
