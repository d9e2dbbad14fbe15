"""Who may send by SMTP, by address."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from app.domain.access import Principal
from app.domain.errors import ConfigurationError
from app.smtpd.access import Access
from app.smtpd.tls import ServerTls
from tests.support.certificates import Authority, authority

__all__ = ["authority"]
OFFICE = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


class Nobody:
    """Logins of which none succeeds."""

    def principal_of(self, _password: bytes, *, peer: str) -> Principal | None:
        raise AssertionError(peer)

    def is_barred(self, _peer: str) -> bool:
        return True

    def is_over_rate(self, _principal: Principal) -> bool:
        return True


@pytest.mark.parametrize(
    ("peer", "is_open"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::7", True),
        ("fe80::1%eth0", False),
        ("11.0.0.1", False),
        ("127.0.0.1", False),
        ("", False),
        ("a name", False),
    ],
)
def test_networks_open_to_those_within(peer: str, is_open: bool) -> None:
    """Also a client of IPv4 at a socket for both; what is no address is in no network."""
    assert Access(open_to=OFFICE).is_open_to(peer) is is_open


def test_everybody_may_send_where_nothing_is_said() -> None:
    """The sandbox listens on loopback, and needs no more."""
    assert all(Access().is_open_to(peer) for peer in ("127.0.0.1", "192.0.2.1", "::1"))


def test_a_password_is_not_taken_in_plain_text_from_elsewhere() -> None:
    """Anybody on the way could read it; on this machine nobody is on the way."""
    access = Access(open_to=(), logins=Nobody())
    assert access.offers_login("127.0.0.1", is_encrypted=False)
    assert access.offers_login("192.0.2.1", is_encrypted=True)
    assert not access.offers_login("192.0.2.1", is_encrypted=False)
    assert not Access(open_to=()).offers_login("127.0.0.1", is_encrypted=True)


def test_a_client_with_no_way_to_send_is_not_admitted(authority: Authority) -> None:
    """Without TLS a login helps only on this machine."""
    tls = ServerTls(*authority.certificate_files())
    assert not Access(open_to=OFFICE, logins=Nobody()).admits("192.0.2.1")
    assert not Access(open_to=OFFICE, tls=tls).admits("192.0.2.1")
    assert Access(open_to=OFFICE, logins=Nobody()).admits("127.0.0.1")
    assert Access(open_to=OFFICE, logins=Nobody(), tls=tls).admits("192.0.2.1")


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "broken"])
def test_a_certificate_of_no_use_is_told(tmp_path: Path, content: str | None) -> None:
    """The complaint names the file and the setting."""
    file = tmp_path / "tls.pem"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"smtp_intake\.tls_certificate: .*tls\.pem"):
        ServerTls(file, None)


def test_a_certificate_may_hold_its_key(tmp_path: Path, authority: Authority) -> None:
    """One file does for both."""
    certificate, key = authority.certificate_files()
    file = tmp_path / "both.pem"
    file.write_bytes(key.read_bytes() + certificate.read_bytes())
    assert ServerTls(file, None).context() is not None
