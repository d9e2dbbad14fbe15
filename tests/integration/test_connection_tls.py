"""TLS towards the relay: demanded, verified, and explained when it fails."""

import asyncio
import socket
import ssl
import warnings
from contextlib import suppress
from dataclasses import replace

import pytest
import uvloop

from app.delivery.connection import Connection
from app.delivery.opening import DEFAULT_TIMEOUTS, Approach, RelayFault, Timeouts
from app.domain.login import Login
from app.domain.outcome import Scope, Sent
from app.domain.relay import Relay, Security, TlsFiles
from app.net.logins import FixedLogin, NoLogin
from app.net.tls import MACHINE_STORE
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.certificates import Authority, make_authority
from tests.support.scripted_smtp import ScriptedSmtp

MAIL = OutgoingMail("ops@example.org", ("a@example.org",), b"Subject: x\r\n\r\n" + b"hi\r\n" * 100_000)
OFFERS = ("PIPELINING", "STARTTLS", "AUTH PLAIN")


@pytest.fixture(autouse=True)
def _trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))


def _approach(
    server: ScriptedSmtp, security: Security, *, tls: TlsFiles = MACHINE_STORE, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> Approach:
    relay = Relay(name="mx", host="127.0.0.1", port=server.port, security=security, tls=tls)
    logins = FixedLogin(Login("tim", "tanstaaf"))
    return Approach(relay=relay, logins=logins, helo_name="client.test", timeouts=timeouts)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
def test_mail_over_tls(security: Security, loop: str, authority: Authority) -> None:
    """A mail and its login go encrypted, by STARTTLS and by implicit TLS, on either event loop."""

    async def run() -> None:
        implicit = security is Security.IMPLICIT_TLS
        tls = authority.server_context()
        async with ScriptedSmtp(capabilities=OFFERS, tls=tls, implicit_tls=implicit) as server:
            connection = await Connection.open(_approach(server, security))
            certificate = connection.certificate
            attempt = await connection.send(MAIL)
            await connection.close()
        assert isinstance(attempt.outcomes[0], Sent)
        assert (server.mails[0].encrypted, server.mails[0].login) == (True, ("tim", "tanstaaf"))
        assert server.mails[0].data == MAIL.data
        assert certificate is not None
        assert (certificate.subject, certificate.issuer) == ("CN=mail test", "Test Authority")
        assert certificate.names == ("localhost", "127.0.0.1")

    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ({"valid": "past"}, "expired"),
        ({"valid": "future"}, "not valid yet"),
        ({"name": "DNS:other.test"}, "another (name|address)"),
        ({"self_signed": True}, "self-signed|not trusted"),
    ],
    ids=["expired", "future", "name", "self-signed"],
)
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
async def test_bad_certificate(
    security: Security, certificate: dict[str, str], words: str, authority: Authority
) -> None:
    """A certificate that proves nothing is a configuration fault in plain words, and no password is sent."""
    tls = authority.server_context(**certificate)  # type: ignore[arg-type]  # bool and str by name
    implicit = security is Security.IMPLICIT_TLS
    async with ScriptedSmtp(capabilities=OFFERS, tls=tls, implicit_tls=implicit) as server:
        with pytest.raises(RelayFault, match=words) as caught:
            await Connection.open(_approach(server, security))
    assert caught.value.outcome.scope is Scope.CONFIGURATION
    assert not [command for command in server.commands if command.startswith("AUTH")]


async def test_an_authority_of_the_relays_own(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay's ca_file is enough to trust it."""
    monkeypatch.delenv("SSL_CERT_FILE")
    async with ScriptedSmtp(capabilities=OFFERS, tls=authority.server_context()) as server:
        approach = _approach(server, Security.STARTTLS, tls=TlsFiles(ca=str(authority.bundle)))
        connection = await Connection.open(approach)
        assert connection.tls_version is not None
        await connection.close()


async def test_the_authority_of_a_relay_replaces_the_others(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever names a ca_file trusts nobody else for this relay, not even the machine's own store."""
    other = make_authority(tmp_path_factory.mktemp("other"))
    async with ScriptedSmtp(capabilities=OFFERS, tls=authority.server_context()) as server:
        with pytest.raises(RelayFault, match="not trusted here"):
            await Connection.open(_approach(server, Security.STARTTLS, tls=TlsFiles(ca=str(other.bundle))))


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
async def test_a_client_certificate(security: Security, authority: Authority) -> None:
    """A relay that asks for our certificate gets it."""
    tls = authority.server_context()
    tls.load_verify_locations(authority.bundle)
    tls.verify_mode = ssl.CERT_REQUIRED
    certificate, key = map(str, authority.certificate_files(name="DNS:client.test"))
    implicit = security is Security.IMPLICIT_TLS
    async with ScriptedSmtp(capabilities=OFFERS, tls=tls, implicit_tls=implicit) as server:
        connection = await Connection.open(_approach(server, security, tls=TlsFiles(certificate=certificate, key=key)))
        attempt = await connection.send(MAIL)
        await connection.close()
    assert isinstance(attempt.outcomes[0], Sent)


async def test_a_client_certificate_that_is_missing(authority: Authority) -> None:
    """A relay that wants a certificate and gets none says so, and the fault repeats it."""
    tls = authority.server_context()
    tls.load_verify_locations(authority.bundle)
    tls.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = asyncio.create_task(asyncio.to_thread(_refuse, listener, tls))
        relay = Relay(name="mx", host="127.0.0.1", port=listener.getsockname()[1], security=Security.IMPLICIT_TLS)
        with pytest.raises(RelayFault, match="certificate required"):
            await Connection.open(Approach(relay=relay, logins=NoLogin(), helo_name="client.test"))
        await refusing


def _refuse(listener: socket.socket, tls: ssl.SSLContext) -> None:
    # Not by asyncio, which closes the link without the alert that says why.
    caller, _ = listener.accept()
    with caller, suppress(ssl.SSLError):
        tls.wrap_socket(caller, server_side=True).close()


async def test_the_name_goes_to_the_relay(authority: Authority) -> None:
    """A relay that serves several names is told which one is meant (SNI, RFC 6066 section 3)."""
    asked: list[str | None] = []
    tls = authority.server_context()
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with ScriptedSmtp(capabilities=OFFERS, tls=tls) as server:
        approach = _approach(server, Security.STARTTLS)
        connection = await Connection.open(replace(approach, relay=replace(approach.relay, host="localhost")))
        await connection.close()
    assert asked == ["localhost"]


async def test_an_old_version_of_tls_is_refused(authority: Authority) -> None:
    """Below TLS 1.2 no mail leaves (RFC 8996)."""
    tls = authority.server_context()
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with ScriptedSmtp(capabilities=OFFERS, tls=tls) as server:
        with pytest.raises(RelayFault, match="TLS failed"):
            await Connection.open(_approach(server, Security.STARTTLS))


async def test_unknown_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the authority in the trust store the relay is not trusted."""
    monkeypatch.delenv("SSL_CERT_FILE")
    async with ScriptedSmtp(capabilities=OFFERS, tls=authority.server_context()) as server:
        with pytest.raises(RelayFault, match="not trusted here") as caught:
            await Connection.open(_approach(server, Security.STARTTLS))
    assert caught.value.outcome.scope is Scope.CONFIGURATION


@pytest.mark.parametrize(
    ("reply", "scope"),
    [
        ("454 4.7.0 TLS not available", Scope.RELAY),
        ("502 5.5.1 what?", Scope.CONFIGURATION),
        (b"220 go\r\n250 slipped in\r\n", Scope.RELAY),
        ("220 go, but no TLS follows", Scope.RELAY),
    ],
    ids=["4xx", "5xx", "injected", "no-tls"],
)
async def test_starttls_fails(reply: str | bytes, scope: Scope) -> None:
    """When STARTTLS fails nothing goes out in plaintext; words slipped in behind its reply are not obeyed."""
    timeouts = Timeouts(command_s=0.3, quit_s=0.2)
    async with ScriptedSmtp(capabilities=OFFERS, STARTTLS=reply) as server:
        with pytest.raises(RelayFault) as caught:
            await Connection.open(_approach(server, Security.STARTTLS, timeouts=timeouts))
    assert caught.value.outcome.scope is scope
    assert not [command for command in server.commands if command.startswith("AUTH")]


async def test_smtps_towards_a_plaintext_port() -> None:
    """A port that speaks no TLS is a relay fault."""
    async with ScriptedSmtp() as server:
        with pytest.raises(RelayFault, match="TLS") as caught:
            await Connection.open(_approach(server, Security.IMPLICIT_TLS))
    assert caught.value.outcome.scope is Scope.RELAY
