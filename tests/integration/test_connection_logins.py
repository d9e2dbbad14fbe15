"""Logging in at a relay: every mechanism, a rotated password, a token that ran out, and nothing shown."""

from base64 import b64encode
from pathlib import Path

import pytest

from app.delivery.connection import Connection
from app.delivery.opening import Approach, RelayFault
from app.domain.login import Login, Logins, SecretKind
from app.domain.outcome import Scope
from app.domain.relay import Relay, Security
from app.net.logins import FixedLogin, NoLogin, PasswordFile
from app.net.oauth import OAuthLogin
from app.net.token_server import OAuthClient
from app.protocols.sasl import MASK, secret_forms
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.oauth_server import TokenServer, refusal
from tests.support.scripted_smtp import ScriptedSmtp

MAIL = OutgoingMail("ops@example.org", ("a@example.org",), b"Subject: x\r\n\r\nhi\r\n")
LONG = "t" * 2000  # as long as Microsoft's tokens
DENIED = "334 " + b64encode(b'{"status":"invalid_token","schemes":"bearer"}').decode()


def _approach(server: ScriptedSmtp, logins: Logins, lines: list[str] | None = None) -> Approach:
    relay = Relay(name="mx", host="127.0.0.1", port=server.port, security=Security.INSECURE)
    on_line = None if lines is None else lambda who, line: lines.append(f"{who}: {line}")
    return Approach(relay=relay, logins=logins, helo_name="client.test", on_line=on_line)


async def _log_in(server: ScriptedSmtp, logins: Logins, lines: list[str] | None = None) -> None:
    connection = await Connection.open(_approach(server, logins, lines))
    await connection.send(MAIL)
    await connection.close()


MECHANISMS = {
    "PLAIN": (SecretKind.PASSWORD, "canary", "canary"),
    "LOGIN": (SecretKind.PASSWORD, "canary", "canary"),
    # RFC 2195 section 2, for the challenge of ScriptedSmtp.
    "CRAM-MD5": (SecretKind.PASSWORD, "canary", "957d4fa59103e194b303ba0f454e64f9"),
    "XOAUTH2": (SecretKind.ACCESS_TOKEN, "canary", "canary"),
    "OAUTHBEARER": (SecretKind.ACCESS_TOKEN, LONG, LONG),
}


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_every_mechanism_logs_in(mechanism: str) -> None:
    """The relay hears user and secret, and who reads the dialogue sees neither the secret nor a form of it."""
    kind, secret, heard = MECHANISMS[mechanism]
    lines: list[str] = []
    async with ScriptedSmtp(capabilities=[f"AUTH {mechanism}"]) as server:
        await _log_in(server, FixedLogin(Login("tim", secret, kind)), lines)
    assert server.mails[0].login == ("tim", heard)
    assert not [form for form in secret_forms(Login("tim", secret, kind)) if form in "".join(lines)]
    assert any(line.startswith(f"C: AUTH {mechanism}") for line in lines)


@pytest.mark.parametrize("secret", ["canary", LONG], ids=["short", "long"])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_refused_token_is_explained(mechanism: str, secret: str) -> None:
    """The reason for a refused token is heard to its end, and the session ends in order."""
    login = Login("tim", secret, SecretKind.ACCESS_TOKEN)
    async with ScriptedSmtp(capabilities=[f"AUTH {mechanism}"], AUTH=[DENIED, "535 5.7.8 no"]) as server:
        with pytest.raises(RelayFault, match='refused the access token and says "invalid_token"') as caught:
            await Connection.open(_approach(server, FixedLogin(login)))
    assert caught.value.outcome.scope is Scope.CONFIGURATION
    assert server.commands[-1] == "QUIT"


async def test_a_relay_that_repeats_the_token() -> None:
    """An echo of the token, clear or as it was said, comes into neither the fault nor the dialogue."""
    said = b64encode(b"user=tim\x01auth=Bearer canary\x01\x01").decode()
    lines: list[str] = []
    async with ScriptedSmtp(capabilities=["AUTH XOAUTH2"], AUTH=f"535 5.7.8 {said} canary is bad") as server:
        login = FixedLogin(Login("tim", "canary", SecretKind.ACCESS_TOKEN))
        with pytest.raises(RelayFault) as caught:
            await Connection.open(_approach(server, login, lines))
    assert f"{MASK} {MASK} is bad" in str(caught.value)
    assert not [line for line in (*lines, str(caught.value)) if "canary" in line or said in line]


async def test_a_rotated_password_works_at_the_next_connection(tmp_path: Path) -> None:
    """After a 535 one attempt was made, no more; with the file mended the next connection logs in."""
    file = tmp_path / "password"
    file.write_text("old\n")
    logins = PasswordFile("tim", file)
    async with ScriptedSmtp(capabilities=["AUTH PLAIN LOGIN"], AUTH=["535 5.7.8 no"]) as server:
        with pytest.raises(RelayFault, match="535") as caught:
            await Connection.open(_approach(server, logins))
        attempts = sum(command.startswith("AUTH") for command in server.commands)
        file.write_text("new\n")
        await _log_in(server, logins)
    assert caught.value.outcome.scope is Scope.CONFIGURATION
    assert attempts == 1
    assert server.mails[0].login == ("tim", "new")


async def test_a_token_that_ran_out_is_replaced() -> None:
    """A token that the relay refused is not tried again: the next connection comes with another one."""
    async with TokenServer() as tokens, ScriptedSmtp(capabilities=["AUTH XOAUTH2"], AUTH=[DENIED]) as server:
        logins = OAuthLogin("tim", OAuthClient(token_url=tokens.url, client_id="id", client_secret="secret"))
        with pytest.raises(RelayFault):
            await Connection.open(_approach(server, logins))
        await _log_in(server, logins)
    assert server.mails[0].login == ("tim", "token-2")


@pytest.mark.parametrize(("error", "scope"), [("invalid_client", Scope.CONFIGURATION), ("server_error", Scope.RELAY)])
async def test_no_token_no_connection(error: str, scope: Scope) -> None:
    """Where no token is to be had the relay is not bothered, and the fault is whose it is."""
    async with TokenServer(refusal(error)) as tokens, ScriptedSmtp() as server:
        logins = OAuthLogin("tim", OAuthClient(token_url=tokens.url, client_id="id"))
        with pytest.raises(RelayFault, match=error) as caught:
            await Connection.open(_approach(server, logins))
    assert caught.value.outcome.scope is scope
    assert server.connections == 0


async def test_without_a_login() -> None:
    """A relay that wants no login gets mail without one."""
    async with ScriptedSmtp(capabilities=["AUTH PLAIN"]) as server:
        await _log_in(server, NoLogin())
    assert server.mails[0].login is None
