"""The server of a mailbox that is read: where it is, by which protocol, as a URL says it."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from app.domain.errors import ConfigurationError
from app.domain.relay import TlsFiles

FORMS = "imaps://user@host, pop3s://user@host, imap://user@host or pop3://user@host"


class MailboxProtocol(StrEnum):
    """How mail is read."""

    POP3 = "pop3"
    IMAP = "imap"


class MailboxSecurity(StrEnum):
    """How the link is protected. The values are the URL schemes."""

    POP3 = "pop3"  # STLS, required and verified unless the connected peer is loopback
    POP3_TLS = "pop3s"  # TLS from the first byte, RFC 8314 section 3
    IMAP = "imap"  # STARTTLS, likewise
    IMAP_TLS = "imaps"

    @property
    def protocol(self) -> MailboxProtocol:
        """The protocol that is spoken over it."""
        return MailboxProtocol(self.value.removesuffix("s"))

    @property
    def is_implicit_tls(self) -> bool:
        """Whether the link is under TLS from its first byte."""
        return self in {MailboxSecurity.POP3_TLS, MailboxSecurity.IMAP_TLS}


DEFAULT_PORTS = {  # RFC 1939 section 3, RFC 9051 section 2.1, RFC 8314 section 7
    MailboxSecurity.POP3: 110,
    MailboxSecurity.POP3_TLS: 995,
    MailboxSecurity.IMAP: 143,
    MailboxSecurity.IMAP_TLS: 993,
}
MACHINE_TRUST = TlsFiles()
INBOX = "INBOX"  # RFC 9051 section 5.1: the name that every account has


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxServer:
    """One account on one server, and the folder that is read. The password never shows in a repr."""

    host: str
    port: int
    security: MailboxSecurity
    username: str
    password: str = field(default="", repr=False)
    folder: str = INBOX  # of IMAP; POP3 knows no folders
    tls: TlsFiles = MACHINE_TRUST

    @property
    def protocol(self) -> MailboxProtocol:
        """How mail is read there."""
        return self.security.protocol

    @property
    def name(self) -> str:
        """What journal and log call it: the same for as long as account, server and folder are the same."""
        folder = f"/{self.folder}" if self.folder != INBOX else ""
        return f"{self.protocol}:{self.username}@{self.host}{folder}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host  # RFC 3986 section 3.2.2: an IPv6 address
        return f"{self.security}://{self.username}@{host}:{self.port}"


def parse_mailbox_url(
    url: str, *, password: str = "", folder: str = INBOX, tls: TlsFiles = MACHINE_TRUST, setting: str = "mailbox.url"
) -> MailboxServer:
    """Return the server that `url` names; `password` wins over one in the URL.

    Raises ConfigurationError, which names the `setting` and does not repeat the URL: it may hold a password.
    """
    try:
        parts = urlsplit(url.strip())
        security = MailboxSecurity(parts.scheme)
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"{setting}: no mailbox URL; write it as {FORMS}") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise ConfigurationError(
            f"{setting}: no mailbox URL; write it as {FORMS} (percent-encode / ? # @ : % in a user or password)"
        )
    if not parts.username:
        raise ConfigurationError(f"{setting}: there is no user in it; write it as {FORMS}, with @ in a user as %40")
    return MailboxServer(
        host=parts.hostname,
        port=port or DEFAULT_PORTS[security],
        security=security,
        username=unquote(parts.username),
        password=password or unquote(parts.password or ""),
        folder=folder,
        tls=tls,
    )
