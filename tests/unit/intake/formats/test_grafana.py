"""Grafana Alerting: Alertmanager's shape, with the values of the query and links to panels."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.alert import Link, Severity, Status
from app.intake.format import NotUnderstood
from tests.support.tool_payloads import document, read_all, read_one

NAME = "grafana"
FIRING = document("grafana-webhook")
RESOLVED = document("grafana-webhook-resolved")


def with_alert(**fields: Any) -> dict[str, Any]:
    return {**FIRING, "alerts": [{**FIRING["alerts"][0], **fields}]}


def test_firing_alert() -> None:
    """What a person on call wants to read is at the place where it belongs; times are in UTC."""
    alert = read_one(NAME, FIRING)

    assert alert.subject == "mem high"
    assert alert.content == "mem high\nValues: B = 44.2, C = 1"
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.WARNING)
    assert alert.key == "grafana/c6eadffa33fcdf37"
    assert alert.labels == {"alertname": "High memory", "team": "blue"}
    assert (alert.starts_at, alert.ends_at) == (datetime(2026, 11, 22, 19, 51, 3, tzinfo=UTC), None)
    assert alert.source == "grafana.example.com"


def test_resolved_alert() -> None:
    """It shares subject, key and labels with the firing one; its values may be null."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)

    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    assert (resolved.subject, resolved.key, resolved.labels) == (firing.subject, firing.key, firing.labels)
    assert resolved.content == "mem high"


def test_links() -> None:
    """Those that are empty are left out, the others say what they are."""
    alert = read_one(
        NAME,
        with_alert(
            panelURL="https://grafana.example.com/d/1?viewPanel=2", imageURL="https://grafana.example.com/i/1.png"
        ),
    )
    assert alert.links == (
        Link("https://runbooks.example.com/mem", "Runbook"),
        Link("https://grafana.example.com/d/1?viewPanel=2", "Panel"),
        Link("https://grafana.example.com/alerting/x/edit", "Alert rule"),
        Link("https://grafana.example.com/alerting/silence/new", "Silence this alert"),
        Link("https://grafana.example.com/i/1.png", "Picture of the panel"),
    )


@pytest.mark.parametrize(
    ("values", "text", "line"),
    [
        pytest.param(None, "[ var='B' value=44.2 ]", "Values: [ var='B' value=44.2 ]", id="as-text"),
        pytest.param({"A": None}, "", "Values: A = ", id="no-data"),
        pytest.param({}, "", "mem high", id="none"),
    ],
)
def test_values(values: object, text: str, line: str) -> None:
    """What was measured stands below the text, as far as Grafana tells."""
    assert read_one(NAME, with_alert(values=values, valueString=text)).content.splitlines()[-1] == line


def test_values_alone() -> None:
    """Without annotations they are the whole text."""
    assert read_one(NAME, with_alert(annotations={})).content == "Values: B = 44.2, C = 1"


def test_state_of_the_group() -> None:
    """Where an alert has no status, and the group none, its state tells."""
    assert read_one(NAME, {**with_alert(status=""), "status": "", "state": "ok"}).status is Status.RESOLVED


def test_no_alerts() -> None:
    """A body without alerts is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {**FIRING, "alerts": None})
