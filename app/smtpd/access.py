"""Who may send by SMTP: from which networks without a login, and with which one from elsewhere."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

from app.domain.access import Principal
from app.smtpd.tls import ServerTls

Network = IPv4Network | IPv6Network
ANYWHERE = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


class Logins(Protocol):
    """Knows the passwords, and the addresses that have tried too many wrong ones."""

    def principal_of(self, password: bytes, *, peer: str) -> Principal | None:
        """Return whom the password proves, if it may send; None counts as a failure of this address."""
        ...

    def is_barred(self, peer: str) -> bool:
        """Tell whether this address has failed too often of late. The right password is taken all the same."""
        ...

    def is_over_rate(self, principal: Principal) -> bool:
        """Tell whether this sender has used up its rate; if not, one more mail is counted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client needs. Without arguments: nothing, so only a loopback listener may have it.

    `open_to` are the networks whose clients need no login. Logins count only where nobody can listen: after
    STARTTLS, or from this machine itself.
    """

    open_to: tuple[Network, ...] = ANYWHERE
    logins: Logins | None = field(default=None, repr=False)
    tls: ServerTls | None = None

    def is_open_to(self, peer: str) -> bool:
        """Tell whether a client at this address may send without a login."""
        address = _address(peer)
        return address is not None and any(address in network for network in self.open_to)

    def admits(self, peer: str) -> bool:
        """Tell whether there is any way for this client to send."""
        return self.is_open_to(peer) or (self.logins is not None and (self.tls is not None or _is_loopback(peer)))

    def offers_login(self, peer: str, *, is_encrypted: bool) -> bool:
        """Tell whether this client may send a password now."""
        return self.logins is not None and (is_encrypted or _is_loopback(peer))


def _is_loopback(peer: str) -> bool:
    address = _address(peer)
    return address is not None and address.is_loopback


def _address(peer: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(peer.partition("%")[0])  # RFC 4007 section 11: a zone may follow
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address  # RFC 4291 section 2.5.5.2: a client of IPv4 at a socket for both
