"""Slack-shaped messages: text, attachments and blocks become text that people read."""

import json

import pytest

from app.domain.alert import Link, Severity
from app.intake.format import NotUnderstood
from app.intake.reading import read_alerts
from app.intake.registry import recognise
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "slack"
ATTACHMENTS = document("slack-attachments")
BLOCKS = document("slack-blocks")


def test_text() -> None:
    """The least that a message can be."""
    made = read_one(NAME, {"text": "*Disk full* on <https://h/1|db1>\n97 &gt; 90"})
    assert (made.subject, made.content) == ("Disk full on db1", "*Disk full* on db1\n97 > 90")
    assert (made.links, made.key, made.labels, made.source) == ((Link("https://h/1", "db1"),), "", {}, "slack")


def test_attachments() -> None:
    """Their titles name the message, a field or their colour says how bad it is."""
    made = read_one(NAME, ATTACHMENTS)
    assert (made.subject, made.severity) == ("[FIRING:1] DiskFull (db1)", Severity.CRITICAL)
    assert made.content.splitlines() == [
        "[FIRING:1] DiskFull (db1)",
        "*/var* is 97% full, see the runbook",
        "Severity: critical",
        "prod & staging",
    ]
    assert made.links == (
        Link("https://runbooks.example.com/disk", "the runbook"),
        Link("https://alerts.example.com/#/alerts", "[FIRING:1] DiskFull (db1)"),
    )
    assert made.extra == {"channel": "#ops", "username": "Alertmanager"}


def test_fallback_stands_in_for_what_an_attachment_does_not_say() -> None:
    """Only then."""
    assert read_one(NAME, {"attachments": [{"fallback": "Disk full"}]}).subject == "Disk full"


def test_blocks() -> None:
    """Header, sections, fields, buttons and rich text, in their order."""
    made = read_one(NAME, BLOCKS)
    assert made.subject == "Backup failed on db1"
    assert made.content.splitlines() == [
        "Backup failed on db1",
        "rsync exit 23, @here @ops",
        "*Host*",
        "db1",
        "*Job*",
        "nightly",
        "Open the log",
        "Next try at 03:00 here",
    ]
    assert [link.url for link in made.links] == ["https://backup.example.com/log", "https://backup.example.com"]


def test_several_lines_of_text_stay_beside_blocks() -> None:
    """Only a line that is the subject is left out."""
    assert read_one(NAME, BLOCKS | {"text": "one\ntwo"}).content.startswith("one\ntwo\n")


def test_worst_colour_counts() -> None:
    """A message may hold several attachments."""
    colours = [{"color": "good", "text": "a"}, {"color": "#a30200", "text": "b"}, {"color": "#cccccc", "text": "c"}]
    assert read_one(NAME, {"attachments": colours}).severity is Severity.ERROR
    assert read_one(NAME, {"attachments": colours[2:]}).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("field", "severity"),
    [
        pytest.param({"title": "Severity", "value": "critical"}, Severity.CRITICAL, id="severity"),
        pytest.param({"title": "priority:", "value": "*Low*"}, Severity.INFO, id="priority"),
        pytest.param({"title": "Severity", "value": "wibble"}, Severity.ERROR, id="no-severity"),
        pytest.param({"title": "Service", "value": "critical"}, Severity.ERROR, id="another-field"),
    ],
)
def test_field_beats_the_colour(field: dict[str, str], severity: Severity) -> None:
    """What is said in words needs no guess."""
    assert read_one(NAME, {"attachments": [{"color": "danger", "fields": [field]}]}).severity is severity


def test_form_with_a_payload() -> None:
    """The oldest way to send a message."""
    body = b"payload=" + json.dumps({"text": "Disk full"}).encode()
    reading = read_alerts(incoming(body, "application/x-www-form-urlencoded"), SizeLimits(body=2**20, attachments=0))
    assert reading.alerts == (read_one(NAME, {"text": "Disk full"}),)


@pytest.mark.parametrize(
    "value",
    [{"text": "TRIGGERED: core"}, {"text": "x", "subject": "y"}, {"text": 1}, {"attachments": "x"}, {"channel": "x"}],
)
def test_what_is_not_slack_shaped(value: object) -> None:
    """Others have fields of these names too."""
    known = recognise(payload_of(value))
    assert known is None or known.name != NAME


def test_deep_rich_text_is_no_burden() -> None:
    """It is read as far as any message goes."""
    element: dict[str, object] = {"type": "text", "text": "deep"}
    for _ in range(150):
        element = {"type": "rich_text_section", "elements": [element]}
    assert read_one(NAME, {"text": "x", "blocks": [{"type": "rich_text", "elements": [element]}]}).content == "x"


def test_nothing_to_say_is_not_understood() -> None:
    """An image of a divider."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {"blocks": [{"type": "divider"}]})
