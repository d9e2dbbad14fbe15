"""Sentry: events are one-shots; metrics and issues begin and end."""

from datetime import UTC, datetime

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.incoming import EventKey, Reading
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, read_all, read_one

NAME = "sentry"
EVENT = document("sentry-event-alert")
METRIC = document("sentry-metric-alert")
ISSUE = document("sentry-issue")


def posted(**fields: str) -> Reading:
    body = b'{"action": "triggered", "data": {"event": {"title": "Boom"}}}'
    return read_alerts(incoming(body, "application/json", **fields), SizeLimits(body=2**20, attachments=0))


def test_alert_on_an_event() -> None:
    """It is named by the error, and nothing will ever resolve it."""
    assert read_one(NAME, EVENT) == Alert(
        subject="ReferenceError: heck is not defined",
        content="?(<anonymous>)\nRule: Very Important Alert",
        severity=Severity.ERROR,
        source="sentry",
        starts_at=datetime(2026, 11, 22, 21, 6, 17, tzinfo=UTC),
        links=(Link("https://sentry.example.com/issues/1117540176/", "Sentry"),),
        extra={"event_id": "e4874d664c3540c1a32eab185f12c5ab", "issue_id": "1117540176"},
    )


def test_alert_on_a_metric() -> None:
    """It is named without its status, and its incident is the key."""
    made = read_one(NAME, METRIC)
    assert (made.subject, made.severity, made.key) == ("Too many errors", Severity.CRITICAL, "sentry/metric/451")
    assert made.content == "1000 events in the last 10 minutes\nFilter: level:error"
    assert made.labels == {"project": "shop", "environment": "prod"}
    assert made.links[0].url.startswith("https://sentry.example.com/organizations/acme/alerts/")


def test_metric_that_is_well_again() -> None:
    """It ends the alert of the same incident."""
    firing, resolved = read_one(NAME, METRIC), read_one(NAME, document("sentry-metric-alert-resolved"))
    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, datetime(2026, 11, 22, 21, 30, tzinfo=UTC))
    assert (resolved.key, resolved.subject) == (firing.key, firing.subject)


@pytest.mark.parametrize("action", ["critical", "warning", "resolved"])
def test_metric_without_its_incident(action: str) -> None:
    """Its title names it then, the same in every state."""
    made = read_one(NAME, {"action": action, "data": {"description_title": f"{action.title()}: Too many errors"}})
    assert (made.subject, made.key) == ("Too many errors", "sentry/metric/Too many errors")


def test_issue_comes_and_goes() -> None:
    """The issue is the key."""
    firing, resolved = read_one(NAME, ISSUE), read_one(NAME, document("sentry-issue-resolved"))
    assert (firing.subject, firing.key) == ("ReferenceError: heck is not defined", "sentry/issue/1117540176")
    assert (resolved.status, resolved.subject, resolved.severity) == (
        Status.RESOLVED,
        firing.subject,
        firing.severity,
    )


@pytest.mark.parametrize("level", ["fatal", "warning", "info"])
def test_level_is_the_severity(level: str) -> None:
    """As Sentry calls it."""
    expected = {"fatal": Severity.CRITICAL, "warning": Severity.WARNING, "info": Severity.INFO}
    made = read_one(NAME, {"action": "triggered", "data": {"event": {"title": "x", "level": level}}})
    assert made.severity is expected[level]


def test_the_name_of_the_request_makes_a_repetition_known() -> None:
    """Sentry sends again what it got no answer to."""
    (key,) = posted(request_id="7a485448").event_keys
    assert key == EventKey("sentry/7a485448", key.sent)
    assert b"Boom" in key.sent


def test_request_without_a_name() -> None:
    """Then nothing is known to come again."""
    assert posted().event_keys == ()


@pytest.mark.parametrize(
    "told", [{"action": "assigned", "data": {"issue": {"id": "1"}}}, {"action": "created", "data": {}}, {}]
)
def test_what_is_no_alert_is_not_understood(told: dict[str, object]) -> None:
    """Sentry also tells of assignments, comments and installations."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, told)
