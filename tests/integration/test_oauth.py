"""Access tokens: fetched from a token server, kept while they are good, and never shown."""

import asyncio
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
import structlog

from app.domain.errors import LoginUnavailable
from app.domain.login import Login, SecretKind
from app.domain.relay import TlsFiles
from app.net.oauth import MARGIN_S, OAuthLogin
from app.net.token_server import MAX_ANSWER, OAuthClient, request_token
from tests.support.certificates import Authority
from tests.support.http_receiver import http_receiver
from tests.support.oauth_server import Answer, TokenServer, grant, refusal

USER = "alerts@example.org"
SECRET, REFRESH = "canary/secret", "canary/refresh"


class Seconds:
    """A monotonic clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _client(server: TokenServer, **fields: Any) -> OAuthClient:
    return OAuthClient(token_url=server.url, client_id="id", client_secret=SECRET, **fields)


@pytest.fixture
def refresh_file(tmp_path: Path) -> Path:
    """A file with the token REFRESH."""
    file = tmp_path / "refresh"
    file.write_text(f"{REFRESH}\n")
    file.chmod(0o600)
    return file


async def test_client_credentials() -> None:
    """The client asks in its own name, as Microsoft 365 has it for a daemon (RFC 6749 section 4.4)."""
    async with TokenServer() as server:
        login = await OAuthLogin(USER, _client(server, scope="https://outlook.office365.com/.default")).current()
    assert login == Login(USER, "token-1", SecretKind.ACCESS_TOKEN)
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "id",
            "client_secret": SECRET,
            "scope": "https://outlook.office365.com/.default",
        }
    ]


async def test_refresh_token(refresh_file: Path) -> None:
    """The client asks in the name of the person who consented, as Google has it (RFC 6749 section 6)."""
    async with TokenServer() as server:
        login = await OAuthLogin(USER, _client(server), refresh_token_file=refresh_file).current()
    assert login.secret == "token-1"
    assert server.forms[0]["grant_type"] == "refresh_token"
    assert server.forms[0]["refresh_token"] == REFRESH


@pytest.mark.parametrize(
    ("expires_in", "good_for_s"),
    [(3600, 3600 - MARGIN_S), ("3600", 3600 - MARGIN_S), (None, 3600 - MARGIN_S), ("soon", 3600 - MARGIN_S), (60, 30)],
    ids=["number", "string", "missing", "nonsense", "short"],
)
async def test_a_token_is_kept_until_shortly_before_its_end(expires_in: object, good_for_s: float) -> None:
    """A new one is fetched neither at every connection nor too late."""
    clock = Seconds()
    async with TokenServer(grant("first", expires_in=expires_in)) as server:
        logins = OAuthLogin(USER, _client(server), monotonic=clock)
        found = [(await logins.current()).secret]
        for clock.now in (good_for_s - 1, good_for_s):
            found.append((await logins.current()).secret)
    assert found == ["first", "first", "token-2"]


async def test_one_fetch_serves_all_who_wait() -> None:
    """Connections that open at once do not each ask for a token."""
    async with TokenServer() as server:
        logins = OAuthLogin(USER, _client(server))
        found = await asyncio.gather(*(logins.current() for _ in range(8)))
    assert {login.secret for login in found} == {"token-1"}
    assert len(server.forms) == 1


async def test_a_refused_token_is_dropped() -> None:
    """After the relay refused a token the next connection gets another one."""
    async with TokenServer() as server:
        logins = OAuthLogin(USER, _client(server))
        logins.refused(await logins.current())
        assert (await logins.current()).secret == "token-2"


async def test_a_late_refusal_of_an_old_token() -> None:
    """A connection that hears late of its old token does not take the new one from the others."""
    async with TokenServer() as server:
        logins = OAuthLogin(USER, _client(server))
        old = await logins.current()
        logins.refused(old)
        await logins.current()
        logins.refused(old)
        assert (await logins.current()).secret == "token-2"


async def test_a_rotated_refresh_token_is_kept(refresh_file: Path) -> None:
    """The server may make the old one void, so the new one stands in the file before the next request."""
    async with TokenServer(grant("a", refresh_token="newer")) as server:
        logins = OAuthLogin(USER, _client(server), refresh_token_file=refresh_file)
        logins.refused(await logins.current())
        await logins.current()
    assert refresh_file.read_text() == "newer\n"
    assert refresh_file.stat().st_mode & 0o777 == 0o600
    assert server.forms[1]["refresh_token"] == "newer"


async def test_a_rotated_refresh_token_that_cannot_be_written(tmp_path: Path) -> None:
    """It is used all the same while the daemon runs, the log tells of the file, and a changed file wins."""
    file = tmp_path / ("r" * 255)  # so long a name that nothing can be written beside it
    file.write_text(f"{REFRESH}\n")
    async with TokenServer(grant("a", refresh_token="newer")) as server:
        logins = OAuthLogin(USER, _client(server), refresh_token_file=file)
        with structlog.testing.capture_logs() as lines:
            logins.refused(await logins.current())
        logins.refused(await logins.current())
        file.write_text("by hand\n")
        await logins.current()
    assert [form["refresh_token"] for form in server.forms] == [REFRESH, "newer", "by hand"]
    assert [(line["event"], line["file"]) for line in lines] == [("refresh_token_not_kept", str(file))]
    assert "newer" not in str(lines)


async def test_a_missing_refresh_token_is_for_a_person_to_mend(tmp_path: Path) -> None:
    """The fault names the file, and the token server is not asked."""
    async with TokenServer() as server:
        logins = OAuthLogin(USER, _client(server), refresh_token_file=tmp_path / "nowhere")
        with pytest.raises(LoginUnavailable, match=r"refresh_token_file: .*nowhere") as caught:
            await logins.current()
    assert caught.value.is_configuration
    assert server.forms == []


FAULTS = {
    "invalid_client": (refusal("invalid_client", "AADSTS7000215: wrong\r\nsecret", status=401), True, "wrong secret"),
    "invalid_grant": (refusal("invalid_grant", "Token has been revoked."), True, "revoked"),
    "echo": (refusal("invalid_client", f"you sent {SECRET}, {REFRESH}"), True, r"you sent \*\*\*, \*\*\*"),
    "echo of the form": (refusal("invalid_client", f"client_secret={quote_plus(SECRET)}"), True, r"client_secret=\*"),
    "echo while unavailable": (refusal(f"no {SECRET}", f"nor {REFRESH}", status=503), False, r"no \*\*\*: nor \*\*\*"),
    "odd fields": ((400, {"error": [7], "error_description": ["x"]}), True, "answered 400"),
    "not found": ((404, b"<html>nothing here</html>"), True, "answered 404"),
    "moved": ((302, b""), True, "answered 302"),
    "unavailable": ((503, b"later"), False, "answered 503"),
    "too many requests": ((429, b""), False, "answered 429"),
    "temporarily": (refusal("temporarily_unavailable"), False, "temporarily_unavailable"),
    "no JSON": ((200, b"hello"), False, "no bearer token"),
    "nested without end": ((200, b"[" * 50_000), False, "no bearer token"),
    "no token": ((200, {"expires_in": 3600}), False, "no bearer token"),
    "a token of two lines": (grant("a\r\nb"), False, "no bearer token"),
    "another type": ((200, {"access_token": "a", "token_type": "mac"}), False, "no bearer token"),
    "endless": ((200, b" " * (MAX_ANSWER + 1)), False, f"more than {MAX_ANSWER} bytes"),
}


@pytest.mark.parametrize(("answer", "is_configuration", "said"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_refusal_in_plain_words(answer: Answer, is_configuration: bool, said: str) -> None:
    """What somebody must mend is told from what passes, in one line and without a secret."""
    async with TokenServer(answer) as server:
        with pytest.raises(LoginUnavailable, match=said) as caught:
            await request_token(_client(server), refresh_token=REFRESH)
    assert caught.value.is_configuration is is_configuration
    assert str(caught.value).isprintable()
    assert "canary" not in "".join(traceback.format_exception(caught.value))


async def test_an_answer_that_is_no_http_shows_no_secret() -> None:
    """A server that sends everything back is told of without what it was sent, and without the query of its URL."""
    async with http_receiver(f"{SECRET} {REFRESH} /hook?key=s3cret\r\n\r\n".encode()) as receiver:
        client = OAuthClient(token_url=receiver.url, client_id="id", client_secret=SECRET)
        with pytest.raises(LoginUnavailable, match=r"token server http://[0-9.:]+/hook cannot be reached") as caught:
            await request_token(client, refresh_token=REFRESH)
    told = "".join(traceback.format_exception(caught.value))
    assert "canary" not in told
    assert "s3cret" not in told + repr(client)


async def test_a_silent_token_server() -> None:
    """It costs the deadline, not a worker for ever."""
    async with TokenServer(silent=True) as server:
        with pytest.raises(LoginUnavailable, match="does not answer") as caught:
            await request_token(_client(server), deadline_s=0.2)
    assert not caught.value.is_configuration


async def test_a_token_server_that_is_gone() -> None:
    """Nobody listens: waiting may help."""
    async with TokenServer() as server:
        client = _client(server)
    with pytest.raises(LoginUnavailable, match="cannot be reached") as caught:
        await request_token(client)
    assert not caught.value.is_configuration


async def test_the_token_server_must_prove_who_it_is(authority: Authority) -> None:
    """An authority that nobody trusts here is a configuration fault, and the secret stays here."""
    async with TokenServer(tls=authority.server_context()) as server:
        with pytest.raises(LoginUnavailable, match="not trusted here") as caught:
            await request_token(_client(server))
        assert (await request_token(_client(server, tls=TlsFiles(ca=str(authority.bundle))))).access_token == "token-1"
    assert caught.value.is_configuration
    assert len(server.forms) == 1


async def test_no_secret_in_a_repr() -> None:
    """Neither the client's secret nor a token shows when its holder is printed."""
    async with TokenServer(grant("canary-token", refresh_token="canary-next")) as server:
        client = _client(server)
        assert "canary" not in repr(client) + repr(await request_token(client))
