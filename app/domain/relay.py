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


def parse_relay(url: str, *, password: str = "", setting: str = "relay", by_token: bool = False) -> Relay:
    """Return the relay that `url` names; `password` wins over one in the URL.

    `by_token`: the user logs in with a token of OAuth 2.0, so there must be a user and no password.
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
    username, secret = unquote(parts.username or ""), password or unquote(parts.password or "")
    objection = _objection(username, secret, by_token=by_token)
    if objection:
        raise ConfigurationError(f"{setting}: {objection}")
    return Relay(
        name=parts.hostname,
        host=parts.hostname,
        port=port or DEFAULT_PORTS[security],
        security=security,
        username=username,
        password=secret,
    )


def _objection(username: str, secret: str, *, by_token: bool) -> str:
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
