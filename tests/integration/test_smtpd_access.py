"""Who may send through the guarded SMTP server: STARTTLS and logins, under asyncio's loop and under uvloop."""

import asyncio
import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path
from shutil import copy

import pytest
import uvloop

from app.domain.access import Principal
from app.smtpd.access import Access
from app.smtpd.tls import ServerTls
from tests.support.background import HANG
from tests.support.certificates import Authority
from tests.support.smtp_site import ENVELOPE, Site, Start, codes, converse, read_all, read_until, starting
from tests.support.waiting import until

TOKEN = "a-token-of-these-tests"
HELLO, MAIL = b"EHLO client\r\n", b"MAIL FROM:<a@example.org>\r\n"


class KnownTokens:
    """One token, that of `cron`; an address with more than `most` failures is barred."""

    def __init__(self, *, most: int = 99, over_rate: bool = False) -> None:
        self.failures = 0
        self._most = most
        self._over_rate = over_rate

    def principal_of(self, password: bytes, *, peer: str) -> Principal | None:
        assert peer == "127.0.0.1"
        self.failures += password != TOKEN.encode()
        return Principal(name="cron") if password == TOKEN.encode() else None

    def is_barred(self, _peer: str) -> bool:
        return self.failures > self._most

    def is_over_rate(self, principal: Principal) -> bool:
        assert principal.name == "cron"
        return self._over_rate


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """A function that starts a server; it is stopped at the end."""
    with starting(request.param) as start_server:
        yield start_server


@pytest.fixture
def tls(authority: Authority) -> ServerTls:
    """A certificate for localhost."""
    return ServerTls(*authority.certificate_files())


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.bundle))


def encrypted(site: Site, authority: Authority) -> smtplib.SMTP:
    """Return a client that has gone over to TLS."""
    client = smtplib.SMTP("localhost", site.port, timeout=HANG)
    client.starttls(context=trusting(authority))
    client.ehlo()
    return client


def plain(password: str, user: str = "cron") -> bytes:
    return b"AUTH PLAIN " + b64encode(f"\0{user}\0{password}".encode()) + b"\r\n"


def test_starttls_encrypts_the_session(start: Start, tls: ServerTls, authority: Authority) -> None:
    """It is announced, works with a client that verifies, and a large mail comes through it whole."""
    site = start(access=Access(tls=tls))
    text = "".join(f"line {number}\r\n" for number in range(20_000))
    with encrypted(site, authority) as client:
        assert not client.has_extn("starttls")
        client.sendmail("a@example.org", ["b@example.org"], text)
    assert site.inbox.mails[0].data == text.encode()


def test_starttls_forgets_what_was_said_before(start: Start, tls: ServerTls, authority: Authority) -> None:
    """RFC 3207 section 4.2: a sender that was named in plain text counts no longer, nor does the greeting."""
    with smtplib.SMTP("localhost", start(access=Access(tls=tls)).port, timeout=HANG) as client:
        client.ehlo()
        client.mail("a@example.org")
        client.starttls(context=trusting(authority))
        assert client.docmd("MAIL FROM:<b@example.org>")[0] == 503
        client.ehlo()
        assert client.mail("b@example.org")[0] == 250


def test_commands_sent_ahead_of_the_handshake_do_not_count(start: Start, tls: ServerTls, authority: Authority) -> None:
    """Nobody can slip plain-text commands into an encrypted session (RFC 3207 section 6)."""
    site = start(access=Access(tls=tls))
    with closing(site.connect()) as connection:
        connection.sendall(HELLO + b"STARTTLS\r\n" + MAIL + b"RCPT TO:<evil@example.org>\r\n")
        read_until(connection, b"220 2.0.0 Ready to start TLS\r\n")
        with trusting(authority).wrap_socket(connection, server_hostname="localhost") as secure:
            secure.sendall(HELLO + b"RCPT TO:<b@example.org>\r\nQUIT\r\n")
            assert codes(read_all(secure).decode().splitlines()) == ["250", "503", "221"]


def test_a_quick_handshake_is_not_lost(start: Start, tls: ServerTls, authority: Authority) -> None:
    """A client that begins it as soon as it may is served, however the loop gets to it: no octet is dropped."""
    site = start(access=Access(tls=tls))
    trusted = trusting(authority)
    for _ in range(40):
        with closing(site.connect()) as connection:
            connection.sendall(HELLO + b"STARTTLS\r\n")
            read_until(connection, b"220 2.0.0 Ready to start TLS\r\n")
            with trusted.wrap_socket(connection, server_hostname="localhost") as secure:
                secure.sendall(b"QUIT\r\n")
                assert read_all(secure).startswith(b"221 ")


@pytest.mark.parametrize("sent", [b"this is no handshake\r\n", b""], ids=["garbage", "nothing"])
def test_a_broken_handshake_ends_the_connection(start: Start, tls: ServerTls, sent: bytes) -> None:
    """The session is gone, and others are served."""
    site = start(access=Access(tls=tls))
    with closing(site.connect()) as connection:
        connection.sendall(HELLO + b"STARTTLS\r\n")
        read_until(connection, b"220 2.0.0 Ready to start TLS\r\n")
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    until(lambda: not list(site.server._site.sessions))
    assert codes(converse(site, HELLO)) == ["250", "221"]


def test_a_renewed_certificate_is_used_at_once(start: Start, authority: Authority, tmp_path: Path) -> None:
    """Nobody has to restart the daemon for it, and a broken file leaves the one before in use."""
    first, second = authority.certificate_files(), authority.certificate_files(name="DNS:localhost,DNS:renewed.example")
    certificate, key = copy(first[0], tmp_path / "tls.pem"), copy(first[1], tmp_path / "tls.key")
    site = start(access=Access(tls=ServerTls(certificate, key)))
    copy(second[0], certificate)
    copy(second[1], key)
    with encrypted(site, authority) as client:
        names = client.sock.getpeercert()["subjectAltName"]
    assert ("DNS", "renewed.example") in names
    key.write_text("broken")
    with encrypted(site, authority) as client:
        assert client.sock.getpeercert()["subjectAltName"] == names


@pytest.mark.parametrize(
    "login",
    [
        plain(TOKEN),
        plain(TOKEN, user=""),
        b"auth plain\r\n" + plain(TOKEN).partition(b"PLAIN ")[2],
        b"AUTH LOGIN\r\n" + b64encode(b"anybody") + b"\r\n" + b64encode(TOKEN.encode()) + b"\r\n",
        b"AUTH LOGIN " + b64encode(b"anybody") + b"\r\n" + b64encode(TOKEN.encode()) + b"\r\n",
    ],
    ids=["plain", "plain-no-user", "plain-later", "login", "login-initial"],
)
def test_a_token_is_the_password(start: Start, login: bytes) -> None:
    """Every way in which clients send it opens, and the mail says whose it was."""
    site = start(access=Access(open_to=(), logins=KnownTokens()))
    lines = converse(site, HELLO + login + ENVELOPE + b"x\r\n.\r\n")
    assert "250-AUTH PLAIN LOGIN" in lines
    assert [code for code in codes(lines) if code != "334"][1:] == ["235", "250", "250", "250", "354", "250", "221"]
    assert [mail.principal for mail in site.inbox.mails] == [Principal(name="cron")]


@pytest.mark.parametrize(
    ("login", "code"),
    [
        (plain("wrong"), "535"),
        (b"AUTH CRAM-MD5\r\n", "504"),
        (b"AUTH\r\n", "504"),
        (b"AUTH PLAIN !\r\n", "501"),
        (b"AUTH PLAIN " + b64encode(b"no fields") + b"\r\n", "501"),
        (b"AUTH LOGIN\r\n*\r\n", "501"),
        (b"AUTH PLAIN =\r\n", "501"),
        (b"AUTH PLAIN \xff\r\n", "501"),
    ],
    ids=["wrong", "mechanism", "nothing", "no-base64", "fields", "cancelled", "empty", "octets"],
)
def test_a_failed_login_opens_nothing(start: Start, login: bytes, code: str) -> None:
    """It is answered in the words of RFC 4954, and no mail is taken after it."""
    lines = converse(start(access=Access(open_to=(), logins=KnownTokens())), HELLO + login + MAIL)
    assert [found for found in codes(lines) if found != "334"] == ["250", code, "530", "221"]


def test_a_long_response_ends_the_session(start: Start) -> None:
    """A login without a line end is bounded like a command."""
    site = start(access=Access(logins=KnownTokens()))
    with closing(site.connect()) as connection:
        connection.sendall(HELLO + b"AUTH PLAIN\r\n" + b"x" * 100_000 + b"\r\nNOOP\r\n")
        assert codes(read_all(connection).decode().splitlines())[:3] == ["250", "334", "500"]


def test_the_third_wrong_password_ends_the_session(start: Start) -> None:
    """Whoever guesses has to connect anew."""
    site = start(access=Access(logins=KnownTokens()))
    assert codes(converse(site, HELLO + 4 * plain("wrong"))) == ["250", "535", "535", "421"]


def test_a_barred_address_is_sent_away_unless_it_knows_the_password(start: Start) -> None:
    """One wrong password ends its session; the right one is taken, for a neighbour's fault is not its own."""
    site = start(access=Access(logins=KnownTokens(most=0)))
    assert codes(converse(site, HELLO + plain("wrong") + MAIL)) == ["250", "421"]
    assert codes(converse(site, HELLO + plain(TOKEN) + MAIL)) == ["250", "235", "250", "221"]


def test_a_login_is_not_taken_within_a_mail_or_twice(start: Start) -> None:
    """RFC 4954 section 4."""
    site = start(access=Access(logins=KnownTokens()))
    assert codes(converse(site, HELLO + MAIL + plain(TOKEN))) == ["250", "250", "503", "221"]
    assert codes(converse(site, HELLO + plain(TOKEN) + plain(TOKEN))) == ["250", "235", "503", "221"]


def test_a_token_over_its_rate_is_put_off(start: Start) -> None:
    """450: the mail may come again later."""
    site = start(access=Access(logins=KnownTokens(over_rate=True)))
    assert codes(converse(site, HELLO + plain(TOKEN) + MAIL)) == ["250", "235", "450", "221"]


def test_a_login_in_plain_text_counts_for_nothing_after_starttls(
    start: Start, tls: ServerTls, authority: Authority
) -> None:
    """RFC 3207 section 4.2: it may have been somebody else's."""
    site = start(access=Access(open_to=(), logins=KnownTokens(), tls=tls))
    with smtplib.SMTP("localhost", site.port, timeout=HANG) as client:
        client.login("cron", TOKEN)
        client.starttls(context=trusting(authority))
        client.ehlo()
        assert client.mail("a@example.org")[0] == 530
        client.login("cron", TOKEN)
        assert client.mail("a@example.org")[0] == 250


def test_a_stranger_is_turned_away_at_the_door(start: Start) -> None:
    """Where no login can help either, the greeting is 554 (RFC 5321 section 3.1), and nobody has to make room."""
    site = start(access=Access(open_to=(ip_network("10.0.0.0/8"),)), connections=1)
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=HANG)) as connection:
        assert read_all(connection).startswith(b"554 5.7.1 ")


def test_a_network_that_is_named_needs_no_login(start: Start) -> None:
    """allow_from opens, also where others have to log in."""
    site = start(access=Access(open_to=(ip_network("127.0.0.0/8"),), logins=KnownTokens()))
    assert codes(converse(site, HELLO + MAIL)) == ["250", "250", "221"]


def test_no_login_is_offered_without_tokens(start: Start) -> None:
    """Nor is TLS without a certificate."""
    lines = converse(start(), HELLO + plain(TOKEN) + b"STARTTLS\r\n")
    assert not any("AUTH" in line or line.endswith("STARTTLS") for line in lines)
    assert codes(lines) == ["250", "502", "502", "221"]
