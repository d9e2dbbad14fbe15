"""The gate before every handler."""

import json
from datetime import timedelta
from hashlib import sha256
from hmac import new as hmac

import pytest
from structlog.testing import capture_logs

from app.domain.access import ALL_SCOPES, Principal
from app.domain.access import Scope as AccessScope
from app.domain.rate import Rate
from app.httpkit.access import MAX_WRONG, AccessControl
from app.httpkit.answers import answer
from app.httpkit.gate import Gate
from app.httpkit.limits import App, ClientDisconnected, Receive, Scope, Send
from app.httpkit.tokens import Token, TokenTable
from tests.support.asgi_calls import Exchange, http_scope
from tests.support.clock import FakeClock

LOCAL = (b"host", b"localhost:8825")
BEARER = (b"authorization", b"Bearer t0ken")
ANYBODY = Principal(source="anybody")


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 200 with what the gate says of the request, and what it left of its query."""
    principal = scope["state"]["principal"]
    said = {
        "principal": principal and principal.name,
        "authenticated": scope["state"]["authenticated"],
        "query": scope["query_string"].decode(),
    }
    await answer(send, 200, json.dumps(said).encode(), b"application/json")


def token(text: str, *scopes: AccessScope, rate: Rate | None = None, hmac_secret: bytes = b"") -> Token:
    """Return a token that is called as it reads, for all that there is unless scopes are named."""
    digest = sha256(text.encode()).digest()
    principal = Principal(name=text, scopes=frozenset(scopes) or ALL_SCOPES, fingerprint=digest)
    return Token(principal=principal, rate=rate, hmac_secret=hmac_secret)


def gate_with(*tokens: Token, app: App = greet, allowed_hosts: frozenset[str] = frozenset()) -> Gate:
    access = AccessControl(TokenTable(tokens), anybody=ANYBODY, clock=FakeClock())
    return Gate(app, access=access, allowed_hosts=allowed_hosts)


async def call(gate: Gate, scope: Scope) -> Exchange:
    """Return what `gate` sends for the request of `scope`."""
    exchange = Exchange()
    await gate(scope, exchange.receive, exchange.send)
    return exchange


def said(exchange: Exchange) -> dict[str, object]:
    """Return what the handler was told."""
    assert exchange.status == 200
    answered: dict[str, object] = json.loads(exchange.sent[1]["body"])
    return answered


@pytest.fixture
def open_gate() -> Gate:
    """A gate without a token."""
    return gate_with(allowed_hosts=frozenset({"Alerts.example.org"}))


@pytest.fixture
def locked_gate() -> Gate:
    """A gate with a token."""
    return gate_with(token("t0ken"))


@pytest.mark.parametrize("host", [b"localhost", b"alerts.example.org"])
async def test_a_local_request_passes(open_gate: Gate, host: bytes) -> None:
    """Without a token a trusted Host is enough, and the handlers need not ask for more."""
    answered = said(await call(open_gate, http_scope("POST", "/alerts", (b"host", host))))
    assert (answered["authenticated"], answered["principal"]) == (True, "")


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
    answered = said(await call(locked_gate, http_scope("GET", "/healthz", *headers)))
    assert answered["authenticated"] is authenticated


async def test_health_shows_details_to_readers_only() -> None:
    """A token that may only send learns no more than a stranger."""
    gate = gate_with(token("sender", AccessScope.SEND), token("reader", AccessScope.READ))
    for name, authenticated in (("sender", False), ("reader", True)):
        scope = http_scope("GET", "/healthz", LOCAL, (b"authorization", b"Bearer " + name.encode()))
        assert said(await call(gate, scope))["authenticated"] is authenticated


@pytest.mark.parametrize("scope", AccessScope)
@pytest.mark.parametrize(
    ("request_line", "needed"),
    [
        ("POST /alerts", AccessScope.SEND),
        ("HEAD /heartbeats/backup", AccessScope.SEND),
        ("GET /alerts", AccessScope.READ),
        ("DELETE /dead-letters/7", AccessScope.MANAGE),
    ],
)
async def test_a_scope_opens_its_requests_only(request_line: str, needed: AccessScope, scope: AccessScope) -> None:
    """What a token may not do is 403, and the answer names the scope that is missing."""
    method, path = request_line.split()
    exchange = await call(gate_with(token("t0ken", scope)), http_scope(method, path, LOCAL, BEARER))
    assert exchange.status == (200 if scope is needed else 403)
    assert scope is needed or f"`{needed}`" in json.loads(exchange.sent[1]["body"])["detail"]


async def test_the_handler_knows_whose_token_it_is() -> None:
    """One daemon serves many senders."""
    gate = gate_with(token("a"), token("b"))
    answered = said(await call(gate, http_scope("POST", "/alerts", LOCAL, (b"x-gotify-key", b"b"))))
    assert (answered["principal"], answered["authenticated"]) == ("b", True)


@pytest.mark.parametrize("tokens", [[], [token("t0ken")]], ids=["open", "locked"])
async def test_no_handler_sees_a_token_in_the_query(tokens: list[Token]) -> None:
    """It opens, and cannot get into a mail by a format that reads the query; not even where none is asked for."""
    scope = http_scope("POST", "/alerts", LOCAL) | {"query_string": b"subject=x&token=t0ken&auth=QmVhcmVyIHQwa2Vu"}
    assert said(await call(gate_with(*tokens), scope))["query"] == "subject=x"


async def test_a_foreign_page_is_403_with_a_token_in_the_query_as_well(locked_gate: Gate) -> None:
    """An address that leaked into a page is not to be used by it."""
    scope = http_scope("POST", "/alerts", LOCAL, (b"origin", b"http://evil.example"))
    assert (await call(locked_gate, scope | {"query_string": b"token=t0ken"})).status == 403


async def test_a_foreign_page_may_not_ping(open_gate: Gate) -> None:
    """A GET that changes something could stand in any page as an image; one that only reads may come from there."""
    foreign = (b"sec-fetch-site", b"cross-site")
    assert (await call(open_gate, http_scope("GET", "/heartbeats/backup", LOCAL, foreign))).status == 403
    assert (await call(open_gate, http_scope("GET", "/alerts", LOCAL, foreign))).status == 200


async def test_a_used_up_rate_is_429() -> None:
    """The rate counts what is sent; looking is free."""
    gate = gate_with(token("t0ken", rate=Rate(1, timedelta(minutes=1))))
    first, second = [await call(gate, http_scope("POST", "/alerts", LOCAL, BEARER)) for _ in range(2)]
    assert (first.status, second.status, second.headers[b"retry-after"]) == (200, 429, b"60")
    assert (await call(gate, http_scope("GET", "/alerts", LOCAL, BEARER))).status == 200


async def test_guessing_is_429_and_the_right_token_still_opens(locked_gate: Gate) -> None:
    """A job behind the same address must not lose its alerts."""
    guess = http_scope("GET", "/alerts", LOCAL, (b"authorization", b"Bearer guess"))
    statuses = [(await call(locked_gate, dict(guess))).status for _ in range(MAX_WRONG + 1)]
    assert statuses == [401] * MAX_WRONG + [429]
    assert (await call(locked_gate, http_scope("GET", "/alerts", LOCAL, BEARER))).status == 200


@pytest.mark.parametrize(
    ("request_line", "status"), [("POST /alerts/sentry", 200), ("GET /alerts", 401), ("POST /dead-letters/7", 401)]
)
async def test_a_signed_alert_is_left_to_its_handler(request_line: str, status: int) -> None:
    """The signature is of the body, which the gate does not read; elsewhere a signature proves nothing."""
    gate = gate_with(token("t0ken", hmac_secret=b"s3cret"))
    method, path = request_line.split()
    signature = (b"sentry-hook-signature", hmac(b"s3cret", b"", "sha256").hexdigest().encode())
    exchange = await call(gate, http_scope(method, path, LOCAL, signature))
    assert exchange.status == status
    assert status != 200 or said(exchange) == {"principal": None, "authenticated": False, "query": "secret=1"}


async def test_a_refusal_is_logged_without_secrets(locked_gate: Gate) -> None:
    """One line says what was refused, without the query string and the wrong token."""
    scope = http_scope("GET", "/alerts", LOCAL, (b"authorization", b"Bearer secret")) | {"client": ("192.0.2.1", 9)}
    with capture_logs() as logs:
        await call(locked_gate, scope)
    assert logs == [
        {
            "event": "request_refused",
            "log_level": "warning",
            "status": 401,
            "method": "GET",
            "path": "/alerts",
            "client": "192.0.2.1",
        }
    ]


async def test_a_handler_that_fails_is_500() -> None:
    """A defect costs its own request only: a problem document without the reason, which is in the log."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("the reason")

    with capture_logs() as logs:
        exchange = await call(gate_with(app=fail), http_scope("GET", "/", LOCAL))
    assert exchange.status == 500
    assert b"the reason" not in exchange.sent[1]["body"]
    assert [(entry["event"], entry["path"]) for entry in logs] == [("request_failed", "/")]


async def test_a_handler_that_fails_midway_sends_nothing_more() -> None:
    """An answer that has begun is not followed by a second one."""

    async def fail_midway(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("the reason")

    exchange = await call(gate_with(app=fail_midway), http_scope("GET", "/", LOCAL))
    assert len(exchange.sent) == 1


async def test_a_client_that_went_away_is_no_failure() -> None:
    """Nobody is answered, and nothing is logged."""

    async def be_left(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnected("gone")

    with capture_logs() as logs:
        exchange = await call(gate_with(app=be_left), http_scope("GET", "/", LOCAL))
    assert (exchange.sent, logs) == ([], [])
