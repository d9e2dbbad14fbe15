"""Who may talk to the daemon: not the pages of others, and with a token only those who have it."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.daemon import Daemon, mail_settings

TOKEN = "a-token-of-these-tests"
POST = ("POST", "/alerts")
DEAD_RELAY = mail_settings(1)


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


def test_the_openapi_document_holds_the_intake(daemon: Daemon) -> None:
    """POST /alerts stands before the framework and is in its document all the same, with what it answers."""
    document = daemon.get("/openapi.json").json
    responses = document["paths"]["/alerts"]["post"]["responses"]
    assert "application/json" in responses["202"]["content"]
    for code in ("400", "401", "403", "408", "413", "415", "421", "422", "503"):
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
