"""TLS towards the relay: demanded, verified, and explained when it fails."""

import asyncio

import pytest
import uvloop

from app.delivery.connection import Connection, OutgoingMail, RelayFault, Timeouts
from app.domain.outcome import Scope, Sent
from app.domain.relay import Relay, Security
from tests.support.certificates import Authority
from tests.support.scripted_smtp import ScriptedSmtp

MAIL = OutgoingMail("ops@example.org", ("a@example.org",), b"Subject: x\r\n\r\n" + b"hi\r\n" * 100_000)
OFFERS = ("PIPELINING", "STARTTLS", "AUTH PLAIN")


@pytest.fixture(autouse=True)
def _trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))


def _relay(server: ScriptedSmtp, security: Security) -> Relay:
    return Relay(name="mx", host="127.0.0.1", port=server.port, security=security, username="tim", password="tanstaaf")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
def test_mail_over_tls(security: Security, loop: str, authority: Authority) -> None:
    """A mail and its login go encrypted, by STARTTLS and by implicit TLS, on either event loop."""

    async def run() -> None:
        implicit = security is Security.IMPLICIT_TLS
        tls = authority.server_context()
        async with ScriptedSmtp(capabilities=OFFERS, tls=tls, implicit_tls=implicit) as server:
            connection = await Connection.open(_relay(server, security), helo_name="client.test")
            certificate = connection.certificate
            attempt = await connection.send(MAIL)
            await connection.close()
        assert isinstance(attempt.outcomes[0], Sent)
        assert (server.mails[0].encrypted, server.mails[0].login) == (True, ("tim", "tanstaaf"))
        assert server.mails[0].data == MAIL.data
        assert certificate is not None
        assert certificate.issuer == "Test Authority"
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
            await Connection.open(_relay(server, security), helo_name="client.test")
    assert caught.value.outcome.scope is Scope.CONFIGURATION
    assert not [command for command in server.commands if command.startswith("AUTH")]


async def test_unknown_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the authority in the trust store the relay is not trusted."""
    monkeypatch.delenv("SSL_CERT_FILE")
    async with ScriptedSmtp(capabilities=OFFERS, tls=authority.server_context()) as server:
        with pytest.raises(RelayFault, match="not trusted here") as caught:
            await Connection.open(_relay(server, Security.STARTTLS), helo_name="client.test")
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
            await Connection.open(_relay(server, Security.STARTTLS), helo_name="client.test", timeouts=timeouts)
    assert caught.value.outcome.scope is scope
    assert not [command for command in server.commands if command.startswith("AUTH")]


async def test_smtps_towards_a_plaintext_port() -> None:
    """A port that speaks no TLS is a relay fault."""
    async with ScriptedSmtp() as server:
        with pytest.raises(RelayFault, match="TLS") as caught:
            await Connection.open(_relay(server, Security.IMPLICIT_TLS), helo_name="client.test")
    assert caught.value.outcome.scope is Scope.RELAY
