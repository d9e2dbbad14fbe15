"""Opening a mailbox by POP3: every way to log in, TLS demanded and verified, faults told apart, and nothing shown."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.login import Login, SecretKind
from app.domain.mailbox_server import MailboxSecurity
from app.domain.mailbox_session import MailboxFault, Trouble
from app.domain.relay import TlsFiles
from app.mailbox.pop3_opening import open_pop3
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin, NoLogin, PasswordFile
from app.net.oauth import OAuthLogin
from app.net.token_server import OAuthClient
from app.protocols.sasl import MASK, secret_forms
from tests.support.certificates import Authority
from tests.support.oauth_server import TokenServer
from tests.support.own_address import own_address
from tests.support.pop3_sessions import LOGIN, PATIENT, mailbox_of, open_mailbox
from tests.support.scripted_pop3 import CAPABILITIES, TIMESTAMP, ScriptedPop3
from tests.support.smtp_actions import Drop, Flood, Hang, Script

TOKEN = Login("tim", "tanstaaf", SecretKind.ACCESS_TOKEN)
LONG = Login("tim", "t" * 2000, SecretKind.ACCESS_TOKEN)  # as long as Microsoft's tokens
DENIED = "+ " + b64encode(b'{"status":"invalid_token","schemes":"bearer"}').decode()

WAYS = {
    "PLAIN": (["SASL PLAIN"], "", LOGIN, "AUTH PLAIN"),
    "LOGIN": (["SASL LOGIN"], "", LOGIN, "AUTH LOGIN"),
    "USER": (["USER"], "", LOGIN, "PASS"),
    "no CAPA": (None, "", LOGIN, "PASS"),
    "APOP": (["USER"], TIMESTAMP, LOGIN, "APOP tim"),
    "XOAUTH2": (["SASL XOAUTH2"], "", TOKEN, "AUTH XOAUTH2"),
    "OAUTHBEARER": (["SASL OAUTHBEARER"], "", TOKEN, "AUTH OAUTHBEARER"),
    "long token": (["SASL XOAUTH2"], "", LONG, "AUTH XOAUTH2"),
}


@pytest.mark.parametrize(("offers", "timestamp", "login", "said"), WAYS.values(), ids=WAYS.keys())
async def test_every_way_logs_in(offers: Sequence[str] | None, timestamp: str, login: Login, said: str) -> None:
    """The server hears user and secret, and who reads the dialogue sees neither the secret nor a form of it."""
    seen: list[str] = []
    async with ScriptedPop3(capabilities=offers, timestamp=timestamp, secret=login.secret) as server:
        session = await open_mailbox(server, login=login, seen=seen)
        await session.close()
    assert server.login == ("tim", login.secret)
    assert any(line.startswith(f"C: {said}") for line in seen)
    assert not [form for form in secret_forms(login) if form in "".join(seen)]
    assert server.commands[-1] == "QUIT"


FAULTS: dict[str, tuple[dict[str, Script], str, Trouble]] = {
    "greeting in use": ({"GREETING": "-ERR [IN-USE] busy"}, 'turns us away and says "busy"; another', Trouble.IN_USE),
    "greeting refused": ({"GREETING": "-ERR too many sessions"}, "too many sessions", Trouble.BUSY),
    "greeting of another protocol": ({"GREETING": "220 mx ESMTP"}, "sent no POP3 answer", Trouble.PROTOCOL),
    "no greeting": ({"GREETING": Drop()}, "the peer closed the connection", Trouble.UNREACHABLE),
    "greeting without end": ({"GREETING": Flood(b"+OK" * 1000)}, "a line of more than 8192", Trouble.PROTOCOL),
    "silence": ({"GREETING": Hang()}, "did not answer within 0.3 s", Trouble.UNREACHABLE),
    "wrong password": ({"AUTH": "-ERR [AUTH] no"}, 'refused the login and says "no"; correct', Trouble.LOGIN),
    "wrong password, no code": ({"AUTH": "-ERR who are you"}, "who are you", Trouble.LOGIN),
    "login in use": ({"AUTH": "-ERR [IN-USE] locked"}, "let only one read it", Trouble.IN_USE),
    "locked, no code": ({"AUTH": "-ERR maildrop already locked"}, "already locked", Trouble.IN_USE),
    "account locked": ({"AUTH": "-ERR your account is locked"}, "account is locked", Trouble.LOGIN),
    "login delay": (
        {"AUTH": "-ERR [LOGIN-DELAY] too often"},
        "too often.*later; it wants a longer pause",
        Trouble.BUSY,
    ),
    "login delay that was announced": (
        {"CAPA": b"+OK\r\nUSER\r\nLOGIN-DELAY 900\r\n.\r\n", "PASS": "-ERR [LOGIN-DELAY] wait"},
        "wants a longer pause.*once in 900 s",
        Trouble.BUSY,
    ),
    "login delay without a code": (
        {"CAPA": b"+OK\r\nUSER\r\nLOGIN-DELAY 900\r\n.\r\n", "PASS": "-ERR no"},
        "correct user or password.*once in 900 s",
        Trouble.LOGIN,
    ),
    "passing": ({"AUTH": "-ERR [SYS/TEMP] disk"}, "disk", Trouble.BUSY),
    "lasting": ({"AUTH": "-ERR [SYS/PERM] closed"}, "closed.*ask whoever runs", Trouble.CONFIGURATION),
    "gone at the login": ({"AUTH": Drop()}, "the peer closed the connection", Trouble.UNREACHABLE),
    "asks without end": ({"AUTH": Flood(b"+ \r\n")}, "asks for more than PLAIN has", Trouble.PROTOCOL),
    "capabilities without end": ({"CAPA": Flood(b"+OK\r\n" * 1000)}, "as one answer", Trouble.PROTOCOL),
    "no way to log in": ({"CAPA": b"+OK\r\nSASL GSSAPI\r\n.\r\n"}, "offers only GSSAPI", Trouble.CONFIGURATION),
}


@pytest.mark.parametrize(("script", "words", "trouble"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_mailbox_that_does_not_open(script: dict[str, Script], words: str, trouble: Trouble) -> None:
    """Whatever goes wrong is a fault of the right kind that names the mailbox, and at most one login was tried."""
    hasty = MailboxTimeouts(command_s=0.3, goodbye_s=0.3)
    async with ScriptedPop3(script=script) as server:
        with pytest.raises(MailboxFault, match=rf'mailbox "pop3:tim@127\.0\.0\.1": .*{words}') as caught:
            await open_mailbox(server, timeouts=hasty)
    assert caught.value.trouble is trouble
    assert len(server.said("AUTH")) <= 1


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_refused_token_is_explained(mechanism: str) -> None:
    """The reason for a refused token is heard to its end, and the session ends in order."""
    async with ScriptedPop3(capabilities=[f"SASL {mechanism}"], AUTH=DENIED) as server:
        with pytest.raises(MailboxFault, match='refused the access token and says "invalid_token"') as caught:
            await open_mailbox(server, login=TOKEN)
    assert caught.value.trouble is Trouble.LOGIN
    assert server.commands[-1] == "QUIT"


async def test_a_token_that_was_refused_is_replaced() -> None:
    """A token that the server refused is not tried again: the next session comes with another one."""
    async with TokenServer() as tokens, ScriptedPop3(AUTH=["-ERR [AUTH] no"], secret="token-2") as server:
        logins = OAuthLogin("tim", OAuthClient(token_url=tokens.url, client_id="id", client_secret="secret"))
        with pytest.raises(MailboxFault):
            await open_pop3(mailbox_of(server), logins)
        await (await open_pop3(mailbox_of(server), logins)).close()
    assert server.login == ("tim", "token-2")


async def test_a_server_that_repeats_the_password() -> None:
    """An echo of the password, clear or as it was said, comes into neither the fault nor the dialogue."""
    said = b64encode(b"\0tim\0canary").decode()
    seen: list[str] = []
    async with ScriptedPop3(AUTH=f"-ERR {said} canary is bad") as server:
        with pytest.raises(MailboxFault) as caught:
            await open_mailbox(server, login=Login("tim", "canary"), seen=seen)
    assert f"{MASK} {MASK} is bad" in str(caught.value)
    assert not [line for line in (*seen, str(caught.value)) if "canary" in line or said in line]


@pytest.mark.parametrize(
    "login",
    [
        Login("tim\r\nDELE 1", "canary"),
        Login("tim", "canary\r\nDELE 1"),
        Login("tim", "canary\0"),
        Login("tim", "canary" * 50),
    ],
    ids=["user", "password", "NUL", "too long"],
)
async def test_a_login_that_breaks_out_of_its_command(login: Login) -> None:
    """A user or password with a line end in it is refused before anything of it is said, and not shown."""
    async with ScriptedPop3(capabilities=["USER"]) as server:
        with pytest.raises(MailboxFault) as caught:
            await open_mailbox(server, login=login)
    assert caught.value.trouble is Trouble.CONFIGURATION
    assert "canary" not in str(caught.value)
    assert server.commands == ["CAPA", "QUIT"]


async def test_no_login_no_session(tmp_path: Path) -> None:
    """Without a login, or with a password file that is gone, nobody is called."""
    async with ScriptedPop3() as server:
        for logins in (NoLogin(), PasswordFile("tim", tmp_path / "none")):
            with pytest.raises(MailboxFault) as caught:
                await open_pop3(mailbox_of(server), logins)
            assert caught.value.trouble is Trouble.CONFIGURATION
    assert server.connections == 0


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The tests' own authority is the one that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    return authority


@pytest.mark.parametrize("security", [MailboxSecurity.POP3, MailboxSecurity.POP3_TLS])
async def test_a_session_under_tls(security: MailboxSecurity, trusted: Authority) -> None:
    """By STLS and by implicit TLS the login goes encrypted, and the capabilities are asked for under TLS."""
    implicit = security is MailboxSecurity.POP3_TLS
    offers = [*CAPABILITIES, "STLS"]
    tls = trusted.server_context(name=f"IP:{own_address()}")
    async with ScriptedPop3(
        [b"hi\r\n"], host=own_address(), capabilities=offers, tls=tls, implicit_tls=implicit, timestamp=TIMESTAMP
    ) as server:
        session = await open_mailbox(server, security=security)
        assert len(await session.entries()) == 1
        await session.close()
    before_login = ["CAPA"] if implicit else ["CAPA", "STLS", "CAPA"]
    assert [command.partition(" ")[0] for command in server.commands[: len(before_login) + 1]] == [
        *before_login,
        "AUTH",
    ]


async def test_no_stls_no_login() -> None:
    """A server elsewhere that does not offer STLS is told nothing."""
    async with ScriptedPop3(host=own_address()) as server:
        with pytest.raises(MailboxFault, match="does not offer STLS, so nothing was sent; try pop3s://") as caught:
            await open_mailbox(server)
    assert caught.value.trouble is Trouble.CONFIGURATION
    assert server.commands == ["CAPA", "QUIT"]


@pytest.mark.parametrize("security", [MailboxSecurity.POP3, MailboxSecurity.POP3_TLS])
async def test_a_certificate_that_proves_nothing(security: MailboxSecurity, trusted: Authority) -> None:
    """A certificate for another name is a configuration fault, and no password is sent."""
    implicit = security is MailboxSecurity.POP3_TLS
    tls = trusted.server_context(name="DNS:other.test")
    async with ScriptedPop3(
        host=own_address(), capabilities=["STLS", "USER"], tls=tls, implicit_tls=implicit
    ) as server:
        with pytest.raises(MailboxFault, match=r"another (name|address)") as caught:
            await open_mailbox(server, security=security)
    assert caught.value.trouble is Trouble.CONFIGURATION
    assert not server.said("USER")


async def test_what_was_slipped_in_before_tls(trusted: Authority) -> None:
    """An answer that came in plaintext behind the +OK to STLS ends it: nobody knows who wrote it (CVE-2011-0411)."""
    slipped_in = b"+OK begin\r\n+OK\r\nSASL PLAIN\r\n.\r\n"
    async with ScriptedPop3(
        host=own_address(), capabilities=["STLS", "USER"], tls=trusted.server_context(), STLS=slipped_in
    ) as server:
        with pytest.raises(MailboxFault, match="spoke in plaintext where TLS must begin"):
            await open_mailbox(server)
    assert not server.said("USER")


async def test_stls_that_is_refused() -> None:
    """-ERR to STLS ends it before the login."""
    async with ScriptedPop3(host=own_address(), capabilities=["STLS", "USER"]) as server:
        with pytest.raises(MailboxFault, match="refused STLS") as caught:
            await open_mailbox(server)
    assert caught.value.trouble is Trouble.UNREACHABLE
    assert not server.said("USER")


async def test_an_authority_that_cannot_be_read(trusted: Authority) -> None:
    """A ca_file that is not there is a configuration fault that names it."""

    async with ScriptedPop3(tls=trusted.server_context(), implicit_tls=True) as server:
        mailbox = replace(mailbox_of(server, MailboxSecurity.POP3_TLS), tls=TlsFiles(ca="/nowhere.pem"))
        with pytest.raises(MailboxFault, match=r"ca_file: /nowhere\.pem") as caught:
            await open_pop3(mailbox, FixedLogin(LOGIN), timeouts=PATIENT)
    assert caught.value.trouble is Trouble.CONFIGURATION


async def test_nobody_listens() -> None:
    """A port where nobody listens is a server that cannot be reached."""
    async with ScriptedPop3() as server:
        assert server.port
    with pytest.raises(MailboxFault, match="Connection refused") as caught:
        await open_pop3(mailbox_of(server), FixedLogin(LOGIN), timeouts=PATIENT)
    assert caught.value.trouble is Trouble.UNREACHABLE
