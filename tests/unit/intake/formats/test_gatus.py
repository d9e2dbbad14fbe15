"""Gatus: the text of its documentation is a one-shot, named fields have a key."""

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.registry import recognise
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "gatus"
FIELDS = {
    "status": "TRIGGERED",
    "endpoint": "website",
    "group": "core",
    "url": "https://www.example.com",
    "description": "health check failed",
    "errors": "context deadline exceeded",
}


def test_text() -> None:
    """The subject is the text without its status, and nothing makes it the same as another."""
    text = "core - website - health check failed - context deadline exceeded"
    expected = Alert(subject=text, content=text, severity=Severity.ERROR, source="gatus")
    assert read_one(NAME, document("gatus-custom")) == expected


def test_text_that_is_over() -> None:
    """It says so, without the dashes that placeholders without a value leave."""
    alert = read_one(NAME, {"text": "RESOLVED: core - website - health check failed - "})
    assert (alert.subject, alert.status) == ("core - website - health check failed", Status.RESOLVED)


def test_other_text() -> None:
    """A site that names its statuses otherwise gets its text as it is, if it sends it to /alerts/gatus."""
    alert = read_one(NAME, {"text": "FAILURE: website"})
    assert (alert.subject, alert.status) == ("FAILURE: website", Status.FIRING)


def test_fields() -> None:
    """They make a subject, a text, a key and a link."""
    alert = read_one(NAME, FIELDS)

    assert alert.subject == "core/website: health check failed"
    assert alert.content == "health check failed\ncontext deadline exceeded"
    assert alert.key == "gatus/core/website"
    assert alert.labels == {"endpoint": "website", "group": "core"}
    assert alert.links == (Link("https://www.example.com", "website"),)


def test_resolved_fields() -> None:
    """Firing and resolved share subject, key and labels."""
    firing = read_one(NAME, FIELDS)
    resolved = read_one(NAME, {**FIELDS, "status": "RESOLVED", "errors": ""})

    assert resolved.status is Status.RESOLVED
    assert (resolved.subject, resolved.key, resolved.labels) == (firing.subject, firing.key, firing.labels)


@pytest.mark.parametrize("status", ["TRIGGERED", "RESOLVED"])
def test_what_is_down_is_an_error(status: str) -> None:
    """Gatus knows no severities; a site may say another."""
    fields = {**FIELDS, "status": status}
    assert read_one(NAME, fields).severity is Severity.ERROR
    assert read_one(NAME, {**fields, "severity": "critical"}).severity is Severity.CRITICAL


def test_fields_without_a_group() -> None:
    """The endpoint alone is enough."""
    alert = read_one(NAME, {"status": "TRIGGERED", "endpoint": "website"})
    assert (alert.subject, alert.key, alert.labels) == (
        "website is unhealthy",
        "gatus/website",
        {"endpoint": "website"},
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"text": "hello"}, id="another-text"),
        pytest.param({"text": "TRIGGERED: a", "channel": "ops"}, id="text-for-a-channel"),
        pytest.param({"text": ["TRIGGERED: a"]}, id="list"),
        pytest.param({"endpoint": "a", "status": 500}, id="status-of-http"),
    ],
)
def test_not_gatus(value: object) -> None:
    """What only looks a little like it is left to others."""
    known = recognise(payload_of(value))
    assert known is None or known.name != NAME


@pytest.mark.parametrize("value", [{}, [], {"text": ""}, {"text": {}}], ids=repr)
def test_nothing_to_tell(value: object) -> None:
    """It is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, value)
