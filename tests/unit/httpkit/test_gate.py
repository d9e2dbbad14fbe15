"""The gate before every handler."""

import json

import pytest
from structlog.testing import capture_logs

from app.httpkit.answers import answer
from app.httpkit.gate import Gate
from app.httpkit.limits import ClientDisconnected, Receive, Scope, Send
from app.httpkit.tokens import AccessToken
from tests.support.asgi_calls import Exchange, http_scope

LOCAL = (b"host", b"localhost:8825")
BEARER = (b"authorization", b"Bearer t0ken")


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 200 with what the gate says of the request."""
    await answer(send, 200, json.dumps(scope["state"]).encode(), b"application/json")


async def call(gate: Gate, scope: Scope) -> Exchange:
    """Return what `gate` sends for the request of `scope`."""
    exchange = Exchange()
    await gate(scope, exchange.receive, exchange.send)
    return exchange


@pytest.fixture
def open_gate() -> Gate:
    """A gate without a token."""
    return Gate(greet, token=None, allowed_hosts=frozenset({"Alerts.example.org"}))


@pytest.fixture
def locked_gate() -> Gate:
    """A gate with a token."""
    return Gate(greet, token=AccessToken("t0ken"), allowed_hosts=frozenset())


@pytest.mark.parametrize("host", [b"localhost", b"alerts.example.org"])
async def test_a_local_request_passes(open_gate: Gate, host: bytes) -> None:
    """Without a token a trusted Host is enough, and the handlers need not ask for more."""
    exchange = await call(open_gate, http_scope("POST", "/alerts", (b"host", host)))
    assert json.loads(exchange.sent[1]["body"]) == {"authenticated": True}


async def test_a_rebound_name_is_421(open_gate: Gate) -> None:
    """A page whose name was pointed at this machine reads nothing, not even the health."""
    exchange = await call(open_gate, http_scope("GET", "/healthz", (b"host", b"evil.example")))
    assert exchange.status == 421


async def test_with_a_token_any_name_will_do(locked_gate: Gate) -> None:
    """A token proves more than a name does."""
    exchange = await call(locked_gate, http_scope("GET", "/", (b"host", b"10.0.0.9"), BEARER))
    assert exchange.status == 200


@pytest.mark.parametrize(
    ("headers", "http_version", "status"),
    [
        pytest.param([], "1.1", 400, id="no Host"),
        pytest.param([LOCAL, LOCAL], "1.1", 400, id="two Hosts"),
        pytest.param([(b"host", b"evil.example"), LOCAL], "1.1", 400, id="two different Hosts"),
        pytest.param([LOCAL, (b"x", b"1"), (b"x", b"2")], "1.1", 200, id="two of another field"),
        pytest.param([], "1.0", 200, id="HTTP/1.0 without Host"),
        pytest.param([(b"host", b"evil.example")], "1.0", 421, id="HTTP/1.0 with Host"),
        pytest.param([], "0.9", 400, id="HTTP/0.9"),
    ],
)
async def test_a_request_names_one_host(
    open_gate: Gate, headers: list[tuple[bytes, bytes]], http_version: str, status: int
) -> None:
    """RFC 9112 section 3.2: exactly one Host, but for HTTP/1.0, which may have none."""
    exchange = await call(open_gate, http_scope("GET", "/", *headers, http_version=http_version))
    assert exchange.status == status


@pytest.mark.parametrize("foreign", [(b"origin", b"http://evil.example"), (b"sec-fetch-site", b"cross-site")])
async def test_a_foreign_page_is_403_even_with_the_token(locked_gate: Gate, foreign: tuple[bytes, bytes]) -> None:
    """A browser that knows the password sends it along for any page: the origin counts all the same."""
    exchange = await call(locked_gate, http_scope("POST", "/alerts", LOCAL, BEARER, foreign))
    assert exchange.status == 403


@pytest.mark.parametrize(("accept", "scheme"), [(b"text/html", b"Basic"), (b"*/*", b"Bearer")], ids=["page", "program"])
async def test_without_the_token_it_is_401(locked_gate: Gate, accept: bytes, scheme: bytes) -> None:
    """Nothing is shown, and the client learns how to ask."""
    exchange = await call(locked_gate, http_scope("GET", "/alerts", LOCAL, (b"accept", accept)))
    assert exchange.status == 401
    assert exchange.headers[b"www-authenticate"].startswith(scheme)
    assert exchange.headers[b"content-type"] == b"application/problem+json"


@pytest.mark.parametrize(
    ("headers", "authenticated"),
    [([LOCAL], False), ([LOCAL, BEARER], True), ([LOCAL, (b"authorization", b"Bearer x")], False)],
    ids=["no token", "token", "wrong token"],
)
async def test_health_is_open_but_knows_who_asks(
    locked_gate: Gate, headers: list[tuple[bytes, bytes]], authenticated: bool
) -> None:
    """Everyone may ask for the health; only the token shows details."""
    exchange = await call(locked_gate, http_scope("GET", "/healthz", *headers))
    assert json.loads(exchange.sent[1]["body"]) == {"authenticated": authenticated}


async def test_a_refusal_is_logged_without_secrets(locked_gate: Gate) -> None:
    """One line says what was refused, without the query string and the wrong token."""
    scope = http_scope("GET", "/alerts", LOCAL, (b"authorization", b"Bearer secret"))
    with capture_logs() as logs:
        await call(locked_gate, scope)
    assert logs == [
        {"event": "request_refused", "log_level": "warning", "status": 401, "method": "GET", "path": "/alerts"}
    ]


async def test_a_handler_that_fails_is_500() -> None:
    """A defect costs its own request only: a problem document without the reason, which is in the log."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("the reason")

    with capture_logs() as logs:
        exchange = await call(Gate(fail, token=None, allowed_hosts=frozenset()), http_scope("GET", "/", LOCAL))
    assert exchange.status == 500
    assert b"the reason" not in exchange.sent[1]["body"]
    assert [(entry["event"], entry["path"]) for entry in logs] == [("request_failed", "/")]


async def test_a_handler_that_fails_midway_sends_nothing_more() -> None:
    """An answer that has begun is not followed by a second one."""

    async def fail_midway(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("the reason")

    exchange = await call(Gate(fail_midway, token=None, allowed_hosts=frozenset()), http_scope("GET", "/", LOCAL))
    assert len(exchange.sent) == 1


async def test_a_client_that_went_away_is_no_failure() -> None:
    """Nobody is answered, and nothing is logged."""

    async def be_left(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnected("gone")

    with capture_logs() as logs:
        exchange = await call(Gate(be_left, token=None, allowed_hosts=frozenset()), http_scope("GET", "/", LOCAL))
    assert (exchange.sent, logs) == ([], [])
