"""Bodies that are wrong, broken or hostile: answered with what is wrong, and never harmful to a mail."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Answer, Daemon, mail_settings
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail

JSON = {"Content-Type": "application/json"}
AS_CURL_DOES = {"Content-Type": "application/x-www-form-urlencoded"}
# Whatever a mail reader or a relay could take for the end of a line, with a header behind it.
EVIL = "".join(f"x{end}Bcc: e@evil" for end in ("\r\n", "\n", "\r", "\0", "\v", "\f", "\x85", "\u2028"))
HEADERS = {
    "Date", "Message-ID", "From", "To", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress", "Subject",
    "In-Reply-To", "References", "X-MailAlert-Id", "MIME-Version", "Content-Type",
}  # fmt: skip


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that keeps what it gets."""
    with background_relay() as running:
        yield running


@pytest.fixture(scope="module")
def daemon(relay: ScriptedSmtp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all these tests: none of them may do it any harm."""
    data_dir = tmp_path_factory.mktemp("daemon") / "var"
    with Daemon(data_dir, **mail_settings(relay.port)) as running:
        yield running.start()
        assert running.stop() == 0
        assert running.events("request_failed") == []


def problem(answer: Answer) -> dict[str, Any]:
    """Return the problem document that `answer` must be (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["title"]
    assert answer.json["detail"]
    document: dict[str, Any] = answer.json
    return document


def pointers(answer: Answer) -> list[str]:
    return [error["pointer"] for error in problem(answer)["errors"]]


@pytest.mark.parametrize(
    "body",
    [b'{"subject": ', b'{"subject": "a",}', b"{'subject': 'a'}", b"nothing", b'{"subject": "a"} x', b"\xff\xfe\x00"],
    ids=["cut", "comma", "quotes", "word", "tail", "binary"],
)
def test_broken_json_is_mailed_as_it_came(daemon: Daemon, body: bytes) -> None:
    """Scripts that substitute without escaping lose no alert; only the strict URL refuses it, and says why."""
    answer = daemon.request("POST", "/alerts", body, JSON)
    assert answer.status == 202
    assert any("mailed as it came" in warning for warning in answer.json["warnings"])
    strict = daemon.request("POST", "/alerts/native", body, JSON)
    assert (strict.status, problem(strict)["type"]) == (400, "/problems/broken-json")


@pytest.mark.parametrize(
    "body",
    [b"[" * 500_000, b'{"subject":' * 50_000, b'{"subject":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=["arrays", "objects", "whole"],
)
def test_deep_nesting_is_a_text_like_any_other(daemon: Daemon, body: bytes) -> None:
    """Nesting without end is not parsed, and nothing to all others; the strict URL refuses it."""
    assert daemon.request("POST", "/alerts", body, JSON).status == 202
    answer = daemon.request("POST", "/alerts/native", body, JSON)
    assert answer.status == 400
    assert problem(answer)
    assert daemon.post({"subject": "next"}).status == 202


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("subject", 5, "/subject"),
        ("subject", "", "/subject"),
        ("subject", "x" * 501, "/subject"),
        ("content", {"a": 1}, "/content"),
        ("content", "x" * (256 * 1024 + 1), "/content"),
        ("severity", "terrible", "/severity"),
        ("status", 1, "/status"),
        ("labels", ["a"], "/labels"),
        ("labels", {"a": ["b"]}, "/labels/a"),
        ("links", ["javascript:alert(1)"], "/links/0"),
        ("starts_at", "yesterday", "/starts_at"),
    ],
)
def test_a_bad_field_is_422_and_named(daemon: Daemon, field: str, value: object, pointer: str) -> None:
    """A field of the wrong type, or out of its bounds, is pointed at."""
    answer = daemon.post({"subject": "a", field: value})
    assert (answer.status, pointers(answer)) == (422, [pointer])


def test_every_bad_field_is_named(daemon: Daemon) -> None:
    """One answer names all that is wrong, not only the first."""
    answer = daemon.post({"subject": "a", "severity": "terrible", "status": "gone", "links": "x"})
    assert (answer.status, sorted(pointers(answer))) == (422, ["/links", "/severity", "/status"])


def test_one_bad_alert_of_a_thousand(daemon: Daemon) -> None:
    """Nothing is taken of an array in which one alert is bad, and the answer names its place."""
    before = daemon.get("/alerts?limit=1").json["alerts"]
    alerts = [{"subject": f"alert {index}", "severity": "info"} for index in range(1000)]
    alerts[417]["severity"] = "terrible"
    answer = daemon.post(alerts)
    assert (answer.status, pointers(answer)) == (422, ["/417/severity"])
    assert daemon.get("/alerts?limit=1").json["alerts"] == before


@pytest.mark.parametrize(
    "content_type",
    ["application/octet-stream", "image/png", "application/gzip"],
)
def test_a_type_that_is_no_text_is_attached(daemon: Daemon, content_type: str) -> None:
    """A screenshot, a dump: whatever it is, it goes with the mail."""
    answer = daemon.request("POST", "/alerts", b"\x89PNG\r\n\x1a\n", {"Content-Type": content_type})
    assert answer.status == 202
    (file,) = daemon.get(f"/alerts/{answer.json['id']}").json["attachments"]
    assert (file["content_type"], file["size_bytes"]) == (content_type, 8)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"subject": "caf\xe9 \xff"}', "application/json"),
        (b'{"subject": "half a pair \\ud83d"}', "application/json"),
        (b"caf\xe9 \xff", "text/plain; charset=utf-8"),
        (b"\xff\xfe\x00\x80", "text/plain"),
    ],
    ids=["JSON", "surrogate", "text", "no text at all"],
)
def test_bytes_that_are_no_text_are_repaired(
    daemon: Daemon, relay: ScriptedSmtp, body: bytes, content_type: str
) -> None:
    """An alert is not lost for bad bytes: it is taken with a warning, and its mail can be read."""
    answer = daemon.request("POST", "/alerts", body, {"Content-Type": content_type})
    assert answer.status == 202
    assert answer.json["warnings"]
    mail = mail_of(daemon, relay, answer.json["id"])
    assert mail.data.isascii()
    assert all(part.defects == [] for part in parsed(mail).walk())


def mail_of(daemon: Daemon, relay: ScriptedSmtp, alert_id: str) -> StoredMail:
    """Return the mail that the relay got for the alert."""
    daemon.wait_until_idle()
    envelope = daemon.get(f"/alerts/{alert_id}").json["mails"][0]["id"]
    (mail,) = [mail for mail in relay.mails if parsed(mail)["X-MailAlert-Id"].startswith(f"{envelope}.")]
    return mail


def _json_posts() -> Iterator[Any]:
    fields: dict[str, Any] = {
        "subject": EVIL,
        "content": EVIL,
        "source": EVIL,
        "key": EVIL,
        "label name": {EVIL: "b"},
        "label value": {"a": EVIL},
        "links": [{"url": "https://example.org/", "title": EVIL}],
        EVIL: "unknown field",
        "unknown": EVIL,
    }
    for field, value in fields.items():
        name = "labels" if field.startswith("label ") else field
        body = json.dumps({"subject": "a", name: value})
        yield pytest.param("/alerts", body, JSON, id="field name" if field == EVIL else field)


def _text_posts() -> Iterator[Any]:
    for name in ("subject", "source", "key", "severity", "status"):
        yield pytest.param(f"/alerts?{name}={quote(EVIL)}", "text", {}, id=f"?{name}=")
    title = f"=?utf-8?B?{b64encode(EVIL.encode()).decode()}?="
    yield pytest.param("/alerts", "text", {"Title": title}, id="Title")
    yield pytest.param("/alerts", f"subject={quote(EVIL)}", {}, id="form")
    yield pytest.param("/alerts", EVIL, {"Content-Type": "text/plain"}, id="text")


@pytest.mark.parametrize(("path", "body", "headers"), [*_json_posts(), *_text_posts()])
def test_no_field_injects_a_header(
    daemon: Daemon, relay: ScriptedSmtp, path: str, body: str, headers: dict[str, str]
) -> None:
    """Line ends of every kind, in every field: the mail has the headers that we gave it, and no other reader."""
    answer = daemon.request("POST", path, body.encode(), AS_CURL_DOES | headers)
    assert answer.status == 202
    mail = mail_of(daemon, relay, answer.json["id"])
    message = parsed(mail)
    names = message.keys()
    assert set(names) <= HEADERS
    assert len(set(names)) == len(names)
    assert mail.recipients == ("ops@example.org",)
    assert [message["From"], message["To"]] == ["alerts@example.org", "ops@example.org"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_slash_at_the_end_loses_no_alert(daemon: Daemon) -> None:
    """`curl -d` follows no redirect, so the path with a slash takes the alert too."""
    assert daemon.request("POST", "/alerts/", "backup failed").status == 202


def test_a_method_that_is_not_served_is_told_which_are(daemon: Daemon) -> None:
    """RFC 9110 section 15.5.6: a 405 names the methods."""
    answer = daemon.request("DELETE", "/alerts")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT")


def test_a_compressed_body_is_read(daemon: Daemon) -> None:
    """Agents that compress what they send need no other address."""
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    answer = daemon.request("POST", "/alerts", gzip.compress(b"disk full"), headers)
    assert daemon.get(f"/alerts/{answer.json['id']}").json["content"] == "disk full"
    broken = daemon.request("POST", "/alerts", b"\x1f\x8b\x08", headers)
    assert (broken.status, bool(broken.json["warnings"])) == (202, True)
