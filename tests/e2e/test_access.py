"""Who may do what with the daemon: not the pages of others, and with tokens only what each of them opens."""

import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, mail_settings

TOKEN = "a-token-of-these-tests"
POST = ("POST", "/alerts")
DEAD_RELAY = mail_settings(1)
SENDER, READER, MANAGER, SLOW = "of-a-sender", "of-a-reader", "of-a-manager", "of-a-slow-one"
SIGNING_SECRET = b"a-signing-secret-of-these-tests"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon as it comes: on loopback, without a token."""
    with Daemon(tmp_path_factory.mktemp("daemon") / "var", **DEAD_RELAY) as running:
        yield running.start()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with a token."""
    with Daemon(tmp_path_factory.mktemp("guarded") / "var", http__token=TOKEN, **DEAD_RELAY) as running:
        yield running.start()


def token_tables(secret_file: Path) -> str:
    """Return `[[tokens]]` for the environment: one for each scope, and one that may send ten times a minute."""
    scopes = {SENDER: "send", READER: "read", MANAGER: "manage", SLOW: "send"}
    tables: list[dict[str, str]] = [
        {"name": token, "sha256": sha256(token.encode()).hexdigest(), "scopes": scope}
        for token, scope in scopes.items()
    ]
    tables[0] |= {"source": "the sender", "hmac_secret_file": str(secret_file)}
    tables[3] |= {"rate": "10/m"}
    return json.dumps(tables)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with several tokens."""
    folder = tmp_path_factory.mktemp("several")
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_bytes(SIGNING_SECRET)
    with Daemon(folder / "var", tokens=token_tables(secret), **DEAD_RELAY) as running:
        yield running.start()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(token: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"anybody:{token}".encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example:8825"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
def test_a_page_of_another_origin_cannot_post(daemon: Daemon, headers: dict[str, str]) -> None:
    """A web page that somebody visits must not be able to post alerts."""
    assert daemon.request(*POST, "from a page", headers).status == 403


@pytest.mark.parametrize("path", ["/alerts", "/healthz", "/openapi.json"])
def test_a_name_bound_to_loopback_reads_nothing(daemon: Daemon, path: str) -> None:
    """DNS rebinding: a page under a name that leads here gets 421, whatever it asks for."""
    assert daemon.get(path, Host="evil.example").status == 421


def test_a_token_that_is_missing_is_asked_for(guarded: Daemon) -> None:
    """Without the token nothing is taken or shown, and the answer says how to send it."""
    for answer in (guarded.request(*POST, "a"), guarded.get("/alerts"), guarded.get("/openapi.json")):
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [bearer("wrong"), basic("wrong"), {"Authorization": TOKEN}, bearer(TOKEN + "x"), bearer("")],
    ids=["bearer", "basic", "bare", "longer", "empty"],
)
def test_a_wrong_token_is_401(guarded: Daemon, headers: dict[str, str]) -> None:
    """Only the token opens."""
    assert guarded.request(*POST, "a", headers).status == 401


@pytest.mark.parametrize("headers", [bearer(TOKEN), basic(TOKEN)], ids=["bearer", "basic"])
def test_the_token_opens(guarded: Daemon, headers: dict[str, str]) -> None:
    """The token is taken as Bearer and as the password of Basic, which browsers ask for; then any Host will do."""
    assert guarded.request(*POST, "a", headers).status == 202
    assert guarded.get("/alerts", Host="alerts.example.org", **headers).status == 200


def test_health_without_the_token_is_a_bare_status(guarded: Daemon) -> None:
    """An outside watcher needs no token, and learns nothing but the status."""
    assert guarded.get("/healthz").json == {"status": "ok"}
    assert guarded.get("/healthz", **bearer(TOKEN)).json.keys() > {"status", "version", "queue_depth"}


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("POST", "/alerts", SENDER),
        ("PUT", "/alerts", SENDER),
        ("GET", "/alerts", READER),
        ("GET", "/dead-letters", READER),
        ("GET", "/openapi.json", READER),
        ("DELETE", "/dead-letters/0", MANAGER),
    ],
)
def test_each_scope_opens_its_part(several: Daemon, method: str, path: str, token: str) -> None:
    """The token with the scope gets on; the others are told 403, and which scope is missing."""
    for offered in (SENDER, READER, MANAGER):
        answer = several.request(method, path, "a", bearer(offered))
        assert (answer.status == 403) is (offered != token)
        assert offered == token or "scopes do not hold" in answer.json["detail"]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (bearer(SENDER), ""),
        (basic(SENDER), ""),
        ({"Authorization": "Basic " + b64encode(f"{SENDER}:".encode()).decode()}, ""),
        ({"X-Gotify-Key": SENDER}, ""),
        ({}, f"?token={SENDER}"),
        ({}, "?auth=" + urlsafe_b64encode(f"Bearer {SENDER}".encode()).decode().rstrip("=")),
    ],
    ids=["bearer", "password", "user", "gotify", "query", "ntfy"],
)
def test_a_token_may_come_in_many_ways(several: Daemon, headers: dict[str, str], query: str) -> None:
    """Every tool can be told to send it somewhere."""
    assert several.request("POST", f"/alerts{query}", "a", headers).status == 202


def test_the_source_of_the_token_stands_in(several: Daemon) -> None:
    """An alert that names no source has that of its token; its own stays."""
    for body, source in (({"subject": "a"}, "the sender"), ({"subject": "a", "source": "own"}, "own")):
        accepted = several.request(*POST, json.dumps(body), bearer(SENDER) | {"Content-Type": "application/json"})
        assert several.get(accepted.headers["location"], **bearer(READER)).json["source"] == source


def test_a_page_of_another_origin_cannot_use_a_token_in_the_url(several: Daemon) -> None:
    """Who got to know the address cannot have visitors of a page post to it."""
    headers = {"Origin": "https://evil.example"}
    assert several.request("POST", f"/alerts?token={SENDER}", "a", headers).status == 403


def test_a_used_up_rate_is_429(several: Daemon) -> None:
    """The client is told when to come again; other tokens are not concerned."""
    first, second = [several.request(*POST, "a", bearer(SLOW)) for _ in range(2)]
    assert (first.status, second.status) == (202, 429)
    assert 1 <= int(second.headers["retry-after"]) <= 6
    assert several.request(*POST, "a", bearer(SENDER)).status == 202


def signed(body: str, *, secret: bytes = SIGNING_SECRET, at: int | None = None) -> dict[str, str]:
    """Return the fields with which Sentry signs the body; with a time those of Grafana."""
    if at is None:
        return {"Sentry-Hook-Signature": hmac(secret, body.encode(), "sha256").hexdigest()}
    digest = hmac(secret, f"{at}:{body}".encode(), "sha256").hexdigest()
    return {"X-Grafana-Alerting-Signature": digest, "X-Grafana-Alerting-Timestamp": str(at)}


def test_a_signed_body_needs_no_token(several: Daemon) -> None:
    """Sentry and Grafana sign what they post; the alert counts as one of the token whose secret it is."""
    for headers in (signed("a"), signed("a", at=int(time.time()))):
        accepted = several.request(*POST, "a", headers)
        assert accepted.status == 202
        assert several.get(accepted.headers["location"], **bearer(READER)).json["source"] == "the sender"


def test_a_body_that_is_signed_wrongly_is_401(several: Daemon) -> None:
    """Another secret, another body or an old signature proves nothing, and a signature opens no other path."""
    assert several.request(*POST, "a", signed("a", secret=b"another")).status == 401
    assert several.request(*POST, "b", signed("a")).status == 401
    assert several.request(*POST, "a", signed("a", at=int(time.time()) - 600)).status == 401
    assert several.get("/alerts", **signed("")).status == 401


def test_guessing_is_slowed_down_and_logged_little(tmp_path: Path) -> None:
    """After ten wrong tokens the answer is 429, the log falls silent, and the right token opens all the same."""
    with Daemon(tmp_path / "var", http__token=TOKEN, **DEAD_RELAY) as daemon:
        daemon.start()
        answers = [daemon.request(*POST, "a", bearer(f"guess-{number}")) for number in range(30)]
        assert [answer.status for answer in answers] == [401] * 10 + [429] * 20
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert daemon.request(*POST, "a", bearer(TOKEN)).status == 202
        assert daemon.stop() == 0
        assert len(daemon.events("request_refused")) == 10
        assert [event["client"] for event in daemon.events("refusals_not_logged")] == ["127.0.0.1"]
        assert not any("guess" in line for line in daemon.lines)


def test_the_openapi_document_holds_the_intake(daemon: Daemon) -> None:
    """POST /alerts stands before the framework and is in its document all the same, with what it answers."""
    document = daemon.get("/openapi.json").json
    responses = document["paths"]["/alerts"]["post"]["responses"]
    assert "application/json" in responses["202"]["content"]
    for code in ("400", "401", "403", "404", "408", "413", "421", "422", "429", "503"):
        assert "application/problem+json" in responses[code]["content"]
    assert document["openapi"].startswith("3.1")
    for reference in _references(document):
        assert _resolve(document, reference)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document
