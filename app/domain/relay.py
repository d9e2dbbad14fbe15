"""The relay: where mail leaves, as a URL says it."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from app.domain.errors import ConfigurationError
from app.domain.rate import Rate


class Security(StrEnum):
    """How the link to the relay is protected. The values are the URL schemes."""

    OPPORTUNISTIC = "smtp"  # STARTTLS, required and verified unless the connected peer is loopback
    STARTTLS = "smtp+starttls"  # STARTTLS, required and verified
    IMPLICIT_TLS = "smtps"  # RFC 8314 section 3
    INSECURE = "smtp+insecure"  # plaintext by name; credentials still never go over it off loopback


DEFAULT_PORTS = {  # RFC 6409 section 3.1 (587), RFC 8314 section 7.3 (465)
    Security.OPPORTUNISTIC: 25,
    Security.STARTTLS: 587,
    Security.IMPLICIT_TLS: 465,
    Security.INSECURE: 25,
}
FORMS = "smtp://host:25, smtp+starttls://user@host:587, smtps://user@host:465 or smtp+insecure://host:25"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files for one relay; empty where this machine's trust store, or no client certificate, will do."""

    ca: str = ""
    certificate: str = ""  # of the client, with its chain
    key: str = ""  # of the client's certificate; empty if it is in the same file


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPolicy:
    """How a relay is used. Among relays the lowest `priority` goes first; equals take turns."""

    priority: int = 1
    connections: int = 4
    mails_per_connection: int = 100  # Postfix and Exchange Online close a session after about as many
    rate: Rate | None = None


DEFAULT_POLICY = RelayPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One SMTP relay. The password never shows in a repr."""

    name: str
    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)
    tls: TlsFiles = TlsFiles()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host  # RFC 3986 section 3.2.2: an IPv6 address
        return f"{self.security}://{host}:{self.port}"


def parse_relay(url: str, *, password: str = "", setting: str = "relay") -> Relay:
    """Return the relay that `url` names; `password` wins over one in the URL.

    Raises ConfigurationError, which names the `setting` and does not repeat the URL: it may hold a password.
    """
    try:
        parts = urlsplit(url.strip())
        security = Security(parts.scheme)
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"{setting}: no relay URL; write it as {FORMS}") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise ConfigurationError(
            f"{setting}: no relay URL; write it as {FORMS} (percent-encode / ? # @ : % in a user or password)"
        )
    return Relay(
        name=parts.hostname,
        host=parts.hostname,
        port=port or DEFAULT_PORTS[security],
        security=security,
        username=unquote(parts.username or ""),
        password=password or unquote(parts.password or ""),
    )
