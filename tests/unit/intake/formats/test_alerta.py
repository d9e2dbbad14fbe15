"""Alerta: an event on a resource, and the severities that mean its end."""

from datetime import UTC, datetime

import pytest

from app.domain.alert import Link, Severity, Status
from app.intake.format import NotUnderstood
from tests.support.tool_payloads import document, read_all, read_one

NAME = "alerta"
FIRING = document("alerta")
RESOLVED = document("alerta-resolved")


def test_firing_alert() -> None:
    """What a person on call wants to read is at the place where it belongs."""
    alert = read_one(NAME, FIRING)

    assert (alert.subject, alert.content) == ("DiskFull on db1", "/var is 97% full\nValue: 97%")
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.CRITICAL)
    assert alert.key == "alerta/Production/db1/DiskFull"
    assert alert.labels == {
        "resource": "db1",
        "environment": "Production",
        "service": "Database",
        "event": "DiskFull",
    }
    assert alert.source == "alerta"


def test_resolved_alert() -> None:
    """It has subject, key, labels and severity of the firing one, and its own text."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)

    assert (resolved.status, resolved.content) == (Status.RESOLVED, "/var is 71% full\nValue: 71%")
    assert (resolved.subject, resolved.key, resolved.labels) == (firing.subject, firing.key, firing.labels)
    assert resolved.severity is firing.severity


@pytest.mark.parametrize(
    ("fields", "status", "severity"),
    [
        pytest.param({"severity": "security"}, Status.FIRING, Severity.CRITICAL, id="highest"),
        pytest.param({"severity": "major"}, Status.FIRING, Severity.ERROR, id="major"),
        pytest.param({"severity": "OK"}, Status.RESOLVED, Severity.WARNING, id="ok"),
        pytest.param({"severity": "cleared"}, Status.RESOLVED, Severity.WARNING, id="cleared"),
        pytest.param(
            {"severity": "normal", "previousSeverity": "indeterminate"}, Status.RESOLVED, Severity.WARNING, id="new"
        ),
        pytest.param({"status": "closed"}, Status.RESOLVED, Severity.CRITICAL, id="closed"),
        pytest.param({"status": "expired"}, Status.RESOLVED, Severity.CRITICAL, id="expired"),
        pytest.param({"status": "ack"}, Status.FIRING, Severity.CRITICAL, id="acknowledged"),
        pytest.param({"severity": 7}, Status.FIRING, Severity.WARNING, id="number"),
    ],
)
def test_severity_and_status(fields: dict[str, object], status: Status, severity: Severity) -> None:
    """Recovery is a severity there, and what was before is told sometimes."""
    alert = read_one(NAME, {**FIRING, **fields})
    assert (alert.status, alert.severity) == (status, severity)


def test_correlated_events_share_a_key() -> None:
    """NodeUp resolves NodeDown: their key and labels are the same."""
    related = {"correlate": ["NodeUp", "NodeDown"]}
    down = read_one(NAME, {**FIRING, **related, "event": "NodeDown"})
    up = read_one(NAME, {**FIRING, **related, "event": "NodeUp", "severity": "normal"})

    assert (up.key, up.labels) == (down.key, down.labels)
    assert up.subject == "NodeUp on db1"


def test_what_its_api_adds() -> None:
    """Time, origin, link, raw data, tags and attributes have their place, and few go twice."""
    alert = read_one(
        NAME,
        {
            **FIRING,
            "createTime": "2026-11-22T21:00:00.000Z",
            "origin": "snmptrap/db1",
            "href": "https://alerta.example.com/alert/1",
            "rawData": "trap 7",
            "tags": ["linux"],
            "attributes": {"ip": "10.0.0.5"},
        },
    )
    assert alert.starts_at == datetime(2026, 11, 22, 21, tzinfo=UTC)
    assert alert.source == "snmptrap/db1"
    assert alert.links == (Link("https://alerta.example.com/alert/1", "Alerta"),)
    assert alert.content.endswith("\ntrap 7")
    assert alert.extra == {"tags": ["linux"], "attributes": {"ip": "10.0.0.5"}}


@pytest.mark.parametrize("value", [{}, [], {"event": "", "resource": None}], ids=repr)
def test_no_alert(value: object) -> None:
    """It is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, value)
