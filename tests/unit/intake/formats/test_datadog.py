"""Datadog: bodies made of its variables, however their fields are spelled, and its own."""

from datetime import UTC, datetime

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.registry import recognise
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "datadog"
FIRING = document("datadog")
RESOLVED = document("datadog-resolved")


def test_triggered() -> None:
    """Monitor and host name it, and are the key."""
    assert read_one(NAME, FIRING) == Alert(
        subject="disk on db1",
        content="disk > 90%",
        severity=Severity.CRITICAL,
        source="datadog",
        labels={"env": "prod", "host": "db1"},
        key="datadog/1234/db1",
        starts_at=datetime(2014, 7, 29, 19, 37, 52, tzinfo=UTC),
    )


def test_recovered() -> None:
    """It ends what was triggered, and was as bad."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)
    assert (resolved.status, resolved.starts_at) == (Status.RESOLVED, None)
    assert resolved.ends_at == datetime(2014, 7, 29, 20, 7, 52, tzinfo=UTC)
    assert (resolved.key, resolved.subject, resolved.severity) == (firing.key, firing.subject, firing.severity)


@pytest.mark.parametrize(
    ("transition", "status", "severity"),
    [
        ("Triggered", Status.FIRING, Severity.ERROR),
        ("Re-Triggered", Status.FIRING, Severity.ERROR),
        ("Warn", Status.FIRING, Severity.WARNING),
        ("No Data", Status.FIRING, Severity.ERROR),
        ("Renotify", Status.FIRING, Severity.ERROR),
        ("Recovered", Status.RESOLVED, Severity.WARNING),
    ],
)
def test_transitions(transition: str, status: Status, severity: Severity) -> None:
    """Only a recovery resolves; without a priority the type tells how bad it is."""
    made = read_one(NAME, FIRING | {"alert_transition": transition, "alert_priority": "$ALERT_PRIORITY"})
    assert (made.status, made.severity) == (status, severity)


def test_the_cycle_is_the_key() -> None:
    """Datadog names an alert from begin to end."""
    assert read_one(NAME, FIRING | {"alert_cycle_key": "771"}).key == "datadog/771"
    assert read_one(NAME, FIRING | {"alert_cycle_key": "$ALERT_CYCLE_KEY"}).key == "datadog/1234/db1"


def test_other_spellings_are_the_same() -> None:
    """Everybody writes the body in their own way."""
    camel = {"alertTransition": "Triggered", "alertTitle": "disk", "alertId": "1234", "hostname": "db1"}
    made = read_one(NAME, camel)
    assert (made.subject, made.key) == ("disk on db1", "datadog/1234/db1")


@pytest.mark.parametrize(
    ("prefix", "status"),
    [("[Triggered on {host:db1}]", Status.FIRING), ("[P2] [Recovered on {host:db1}]", Status.RESOLVED)],
)
def test_own_body_of_datadog(prefix: str, status: Status) -> None:
    """Its title alone tells what happened, and where."""
    own = {"id": "23", "title": f"{prefix} disk", "event_type": "metric_alert_monitor", "last_updated": "1406662672000"}
    made = read_one(NAME, own | {"body": "%%%\ndisk > 90%\n%%%", "date": "1406662672000"})
    known = recognise(payload_of(own))
    assert known is not None
    assert known.name == NAME
    assert (made.subject, made.status, made.content) == ("disk on host:db1", status, "disk > 90%")
    assert made.key == "datadog/disk/host:db1"


def test_event_that_tells_no_transition_is_a_one_shot() -> None:
    """Nothing would resolve it."""
    made = read_one(NAME, {"title": "Deploy", "event_type": "x", "last_updated": "1", "tags": "env:prod"})
    assert (made.key, made.labels, made.extra) == ("", {}, {"env": "prod"})


def test_tag_that_comes_twice_keeps_both_values() -> None:
    """A host may serve two services."""
    assert read_one(NAME, FIRING | {"tags": "service:a,service:b,monitor"}).labels == {
        "service": "a,b",
        "monitor": "",
        "host": "db1",
    }


def test_without_any_text_it_is_not_understood() -> None:
    """There is nothing to tell."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {"alert_transition": "Triggered"})
