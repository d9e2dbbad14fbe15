"""How a session by IMAP is opened, and how that can fail: a scripted server says what no sound one would."""

import asyncio
from collections.abc import Sequence

import pytest

from app.domain.login import Login, SecretKind
from app.domain.mailbox_session import Trouble
from app.domain.relay import TlsFiles
from tests.support.certificates import Authority
from tests.support.imap_sessions import HASTY, LOGIN, fault_of_opening, open_at, opened
from tests.support.own_address import own_address
from tests.support.scripted_imap import CAPABILITIES, ScriptedImap
from tests.support.smtp_actions import Drop, Flood, Hang, Script, Split

TOKEN = Login("tim", "t0ken-t0ken", SecretKind.ACCESS_TOKEN)


def without(*names: str) -> list[str]:
    """Return what a sound server can do, but for these."""
    return [name for name in CAPABILITIES if name not in names]


async def test_a_client_introduces_itself_before_it_selects() -> None:
    """163.com and 126.com refuse the folder otherwise; behind the login, where its name is nobody else's business."""
    async with ScriptedImap() as server, opened(server):
        pass
    verbs = server.verbs()
    assert verbs.index("AUTHENTICATE") < verbs.index("ID") < verbs.index("SELECT")
    assert '"name" "Mail Alert System"' in server.said("ID")[0]


async def test_a_server_without_id_is_not_bothered() -> None:
    """It would answer BAD."""
    async with ScriptedImap(capabilities=without("ID")) as server, opened(server):
        assert not server.said("ID")


async def test_a_refused_introduction_does_no_harm() -> None:
    """It is for statistics only."""
    async with ScriptedImap(ID="BAD what?") as server, opened(server) as session:
        assert await session.entries() == []


async def test_a_password_without_sasl_goes_by_login() -> None:
    """As a literal, so that it may hold any character."""
    login = Login('t"im', 'pä"55\\')
    offers = without("AUTH=PLAIN", "AUTH=OAUTHBEARER", "AUTH=XOAUTH2")
    async with ScriptedImap(capabilities=offers, secret=login.secret) as server, opened(server, login=login):
        assert server.commands[1:3] == [r'LOGIN "t\"im" {7}', login.secret]


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        (CAPABILITIES, "n,a=tim,\x01auth=Bearer t0ken-t0ken\x01\x01"),
        (without("AUTH=OAUTHBEARER"), "user=tim\x01auth=Bearer t0ken-t0ken\x01\x01"),
    ],
    ids=["OAUTHBEARER", "XOAUTH2"],
)
async def test_a_token_logs_in(offers: Sequence[str], said: str) -> None:
    """By the standard before its forerunner."""
    async with ScriptedImap(capabilities=offers, secret=TOKEN.secret) as server, opened(server, login=TOKEN):
        assert said in server.commands


async def test_why_a_token_is_refused_is_told() -> None:
    """The challenge in JSON says it; the client has to answer that before the refusal comes."""
    complaint = b"+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n"  # {"status":"invalid_token"}
    challenges = b"+ \r\n" + complaint + b"TAG NO failed\r\n"
    async with ScriptedImap(AUTHENTICATE=challenges) as server:
        fault = await fault_of_opening(server, login=TOKEN)
    assert fault.trouble is Trouble.LOGIN
    assert "invalid_token" in str(fault)
    assert TOKEN.secret not in str(fault)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ("NO [AUTHENTICATIONFAILED] no", Trouble.LOGIN),
        ("NO [AUTHORIZATIONFAILED] no", Trouble.LOGIN),
        ("NO [EXPIRED] no", Trouble.LOGIN),
        ("NO LOGIN failed", Trouble.LOGIN),
        ("BAD [CLIENTBUG] no", Trouble.PROTOCOL),
        ("NO [UNAVAILABLE] the directory is down", Trouble.BUSY),
        ("NO [LIMIT] later", Trouble.BUSY),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", Trouble.BUSY),
        ("NO [INUSE] another client", Trouble.IN_USE),
        ("NO [PRIVACYREQUIRED] not so", Trouble.CONFIGURATION),
        ("NO [CONTACTADMIN] ask", Trouble.CONFIGURATION),
    ],
)
async def test_a_refused_login_says_by_its_code_what_it_is(answer: str, trouble: Trouble) -> None:
    """RFC 5530: a wrong password is one thing, a server that is down another."""
    async with ScriptedImap(AUTHENTICATE=answer) as server:
        fault = await fault_of_opening(server)
    assert fault.trouble is trouble


async def test_a_server_that_repeats_the_password_is_not_quoted() -> None:
    """Whatever form it repeats."""
    async with ScriptedImap(AUTHENTICATE="NO tanstaaf AHRpbQB0YW5zdGFhZg== is wrong") as server:
        fault = await fault_of_opening(server)
    assert 'says "*** *** is wrong"' in str(fault)
    assert fault.__cause__ is None


@pytest.mark.parametrize(
    ("greeting", "trouble"),
    [
        ("BYE [UNAVAILABLE] full", Trouble.BUSY),
        ("BYE go away", Trouble.UNREACHABLE),
        ("NO what?", Trouble.PROTOCOL),
    ],
)
async def test_a_server_that_greets_with_no(greeting: str, trouble: Trouble) -> None:
    """Is a fault with its words or its code."""
    async with ScriptedImap(greeting=greeting) as server:
        assert (await fault_of_opening(server)).trouble is trouble


@pytest.mark.parametrize(
    ("step", "action", "trouble"),
    [
        ("GREETING", b"+OK POP3 here\r\n", Trouble.PROTOCOL),
        ("GREETING", b"220 smtp.test ESMTP\r\n", Trouble.PROTOCOL),
        ("GREETING", b"\xff\xfe\r\n", Trouble.PROTOCOL),
        ("GREETING", Drop(), Trouble.UNREACHABLE),
        ("GREETING", Hang(), Trouble.UNREACHABLE),
        ("GREETING", Flood(b"x" * 65536), Trouble.PROTOCOL),
        ("GREETING", b"* OK {99999999999}\r\n", Trouble.PROTOCOL),
        ("CAPABILITY", "NO not today", Trouble.PROTOCOL),
        ("AUTHENTICATE", b"+ \r\n+ \r\n+ \r\n+ \r\n", Trouble.PROTOCOL),
        ("AUTHENTICATE", Drop(b"+ "), Trouble.UNREACHABLE),
        ("SELECT", "NO [NONEXISTENT] no", Trouble.CONFIGURATION),
        ("SELECT", "NO User is authenticated but not connected.", Trouble.BUSY),
        ("SELECT", "OK done", Trouble.PROTOCOL),
        ("SELECT", b"* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 1]\r\nTAG OK done\r\n", Trouble.CONFIGURATION),
        ("SELECT", b"* BYE [UNAVAILABLE] restarting\r\n", Trouble.BUSY),
        ("SELECT", b"* 1 EXISTS\r\n* OK [UIDVALIDITY x]\r\nTAG OK done\r\n", Trouble.PROTOCOL),
        ("SELECT", b"x999 OK\r\n", Trouble.PROTOCOL),
    ],
)
async def test_a_server_that_fails(step: str, action: Script, trouble: Trouble) -> None:
    """At any step is a fault, soon, and never a hang."""
    async with ScriptedImap(**{step: action}) as server:
        fault = await asyncio.wait_for(fault_of_opening(server, timeouts=HASTY), 10)
    assert fault.trouble is trouble


async def test_a_server_that_trickles_is_not_waited_for() -> None:
    """A byte now and then is no answer: the time is counted for all of it."""
    async with ScriptedImap(SELECT=Split("* OK " + "x" * 1000, pause_s=0.05)) as server:
        fault = await asyncio.wait_for(fault_of_opening(server, timeouts=HASTY), 10)
    assert fault.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("offers", "login", "words"),
    [
        (("IMAP4rev1", "LOGINDISABLED"), LOGIN, "no login"),
        (("IMAP4rev1", "AUTH=PLAIN"), TOKEN, "only PLAIN"),
    ],
    ids=["no passwords", "no tokens"],
)
async def test_a_server_without_a_way_to_log_in(offers: Sequence[str], login: Login, words: str) -> None:
    """Is a matter for a person, and no secret is sent."""
    async with ScriptedImap(capabilities=offers) as server:
        fault = await fault_of_opening(server, login=login)
    assert fault.trouble is Trouble.CONFIGURATION
    assert words in str(fault)
    assert server.verbs() == ["CAPABILITY"]


async def test_a_server_that_knows_its_client_wants_no_login() -> None:
    """PREAUTH, on loopback."""
    async with ScriptedImap([b"x"], greeting="PREAUTH hello") as server, opened(server) as session:
        assert len(await session.entries()) == 1
    assert not server.said("AUTHENTICATE")


async def test_off_loopback_the_link_is_encrypted_first(authority: Authority) -> None:
    """By STARTTLS, verified, before a word of the login."""
    host = own_address()
    context = authority.server_context(name=f"IP:{host}")
    async with ScriptedImap(capabilities=[*CAPABILITIES, "STARTTLS"], tls=context, host=host) as server:
        session = await open_at(server, tls=TlsFiles(ca=str(authority.bundle)))
        await session.close()
    assert server.verbs()[:4] == ["CAPABILITY", "STARTTLS", "CAPABILITY", "AUTHENTICATE"]


async def test_off_loopback_a_stranger_is_refused(authority: Authority) -> None:
    """Nothing is said to a server whose certificate proves nothing."""
    host = own_address()
    context = authority.server_context(name=f"IP:{host}")
    async with ScriptedImap(capabilities=[*CAPABILITIES, "STARTTLS"], tls=context, host=host) as server:
        fault = await fault_of_opening(server)
    assert fault.trouble is Trouble.CONFIGURATION
    assert server.verbs() == ["CAPABILITY", "STARTTLS"]


@pytest.mark.parametrize(
    ("how", "trouble"),
    [
        ({}, Trouble.CONFIGURATION),
        ({"greeting": "PREAUTH hello", "capabilities": [*CAPABILITIES, "STARTTLS"]}, Trouble.CONFIGURATION),
        (
            {"capabilities": [*CAPABILITIES, "STARTTLS"], "STARTTLS": b"TAG OK done\r\n* OK slipped in\r\n"},
            Trouble.PROTOCOL,
        ),
    ],
    ids=["no STARTTLS", "PREAUTH", "plaintext behind STARTTLS"],
)
async def test_off_loopback_nothing_goes_in_plaintext(how: dict[str, Script], trouble: Trouble) -> None:
    """A server that does not encrypt hears no password."""
    async with ScriptedImap(host=own_address(), **how) as server:  # type: ignore[arg-type]  # as ScriptedImap takes them
        fault = await fault_of_opening(server)
    assert fault.trouble is trouble
    assert not server.said("AUTHENTICATE")
