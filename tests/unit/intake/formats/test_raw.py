"""What no format knows: it has a subject that tells something, and the body as it came."""

import json
from typing import Any

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.registry import all_formats
from app.intake.sizes import SizeLimits
from tests.support.multipart_body import CONTENT_TYPE, body_of, part

LIMITS = SizeLimits(body=2**20, attachments=2**20)
JSON = "application/json"


def posted(body: bytes, content_type: str = JSON, query: bytes = b"", **headers: str) -> Reading:
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    incoming = IncomingBody(body, fields | {b"content-type": content_type.encode()}, query)
    return read_alerts(incoming, LIMITS, named=all_formats()["raw"])


def alert(body: bytes, content_type: str = JSON, query: bytes = b"", **headers: str) -> Alert:
    return posted(body, content_type, query, **headers).alerts[0]


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        pytest.param({"id": 1, "title": "Disk full"}, "Disk full", id="title"),
        pytest.param({"message": "x", "summary": "Disk full"}, "Disk full", id="what-names-it-comes-first"),
        pytest.param({"event": {"name": "Disk full"}}, "Disk full", id="one-level-down"),
        pytest.param({"a": {"b": {"text": "Disk full"}}}, "Disk full", id="two-levels-down"),
        pytest.param([{"id": 1}, {"alertname": "Disk full"}], "Disk full", id="in-a-list"),
        pytest.param({"title": " ", "text": "Disk\nfull"}, "Disk full", id="cleaned"),
        pytest.param({"a": {"b": {"c": {"d": {"title": "x"}}}}}, "Alert from curl", id="too-deep"),
        pytest.param([1, 2], "Alert from curl", id="nothing"),
    ],
)
def test_subject_is_what_can_be_found(value: Any, subject: str) -> None:
    """By the names that most tools use, from the outside in; else who sent it."""
    assert alert(json.dumps(value).encode(), user_agent="curl/8.5 (linux)").subject == subject


def test_without_any_clue_it_is_still_an_alert() -> None:
    """It must have some subject."""
    assert alert(b"[1]").subject == "Alert of an unknown format"


@pytest.mark.parametrize(
    ("query", "title", "subject"),
    [(b"subject=From+query", "From header", "From query"), (b"", "From header", "From header")],
)
def test_sender_may_name_it(query: bytes, title: str, subject: str) -> None:
    """As for a text, the query and the Title header outweigh what is found."""
    assert alert(b'{"title": "Found"}', query=query, title=title).subject == subject


def test_json_is_shown_indented() -> None:
    """As people read it."""
    assert alert(b'{"a":{"b":"\xc3\xa4"}}').content == '{\n  "a": {\n    "b": "ä"\n  }\n}'


def test_long_json_is_not_indented() -> None:
    """To indent deep nesting takes hundreds of times its size."""
    body = b"[" + b",".join([b"[" * 150 + b"]" * 150] * 1000) + b"]"
    assert "\n " not in alert(body).content.partition("[…")[0]


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"severity": "critical"}, Severity.CRITICAL),
        ({"data": {"level": "error"}}, Severity.ERROR),
        ({"priority": "wibble", "status": "warning"}, Severity.WARNING),
        ({"state": "alerting"}, Severity.WARNING),
    ],
)
def test_severity_is_what_can_be_found(fields: dict[str, Any], severity: Severity) -> None:
    """Words that are none are passed over."""
    assert alert(json.dumps(fields).encode()).severity is severity


def test_query_is_honoured() -> None:
    """Like that of a text."""
    made = alert(b'{"severity": "info"}', query=b"severity=error&status=resolved&source=cron&key=k1")
    assert (made.severity, made.status, made.source, made.key) == (Severity.ERROR, Status.RESOLVED, "cron", "k1")


def test_wrong_choice_in_the_query_costs_a_warning_only() -> None:
    """What was found is taken then."""
    reading = posted(b'{"severity": "error"}', query=b"severity=canary")
    assert reading.alerts[0].severity is Severity.ERROR
    assert reading.warnings == ("severity is none of info, warning, error, critical; error was taken",)


def test_url_becomes_a_link() -> None:
    """It leads back to the tool."""
    assert alert(b'{"url": "https://h/1", "link": "javascript:x"}').links == (Link("https://h/1"),)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ('{"text": "core: "quoted" failed"}', 'core: "quoted" failed'),
        ('{"id": 1, "title": "Disk full", "text": "a\nb"', "Disk full"),
        ('{"id": oops}', '{"id": oops}'),
        ("<alert><title>Disk full</title></alert>", "Disk full"),
        ('<?xml version="1.0"?>\n<message lang="en">Disk full</message>', "Disk full"),
        ("<a>\n<b/></a>", "<a>"),
    ],
)
def test_subject_of_a_broken_document(text: str, subject: str) -> None:
    """Templates put values in unescaped; the text as it came is the content."""
    made = alert(text.encode())
    assert (made.subject, made.content) == (subject, text)


@pytest.mark.parametrize(
    "text", ['{"text": "' * 900, "<title " * 1500, '{"text": "' + "x" * 9000], ids=["json", "xml", "long"]
)
def test_hostile_text_costs_little(text: str) -> None:
    """The search is bounded; a minute would be the time limit of this test."""
    assert alert(text.encode()).content == text


def test_form_is_shown_as_lines() -> None:
    """One for each field, also where names repeat; its files are attached."""
    fields = [part("name=a", b"1"), part("name=a", b"2"), part('name=f; filename="df.txt"', b"full")]
    made = alert(body_of(fields), CONTENT_TYPE)
    assert made.content == "a: 1\na: 2\n\nAttached as it came: df.txt (4 bytes)"
    assert [file.data for file in made.attachments] == [b"full"]


def test_what_is_no_text_is_attached() -> None:
    """And the mail says so."""
    made = alert(b"\x89PNG", "image/png", user_agent="camera")
    assert (made.subject, made.content) == ("File from camera", "Attached as it came: image/png (4 bytes)")
    assert [(file.content_type, file.data) for file in made.attachments] == [("image/png", b"\x89PNG")]


@pytest.mark.parametrize("content_type", [JSON, "image/png", "application/xml", CONTENT_TYPE])
def test_nothing_is_refused(content_type: str) -> None:
    """An empty body without a subject is no message."""
    with pytest.raises(Rejected, match="empty"):
        posted(b"", content_type)


@pytest.mark.parametrize("body", [b"0", b"[]", b"{}", b"false", b'""', b"null"])
def test_what_counts_as_nothing_in_json_is_no_empty_body(body: bytes) -> None:
    """A counter that says 0 may be all that there is to tell."""
    made = alert(body)
    assert (made.subject, made.content) == (body.decode(), body.decode())


def test_multipart_without_parts_is_empty() -> None:
    """Its boundary says nothing."""
    with pytest.raises(Rejected, match="empty"):
        posted(body_of([]), CONTENT_TYPE)


def test_subject_alone_is_enough() -> None:
    """A body is not needed beside it."""
    assert alert(b"", query=b"subject=Backup+failed") == Alert(subject="Backup failed", severity_is_assumed=True)
