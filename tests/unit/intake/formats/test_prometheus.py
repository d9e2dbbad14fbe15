"""Prometheus' own alerts: an array of objects with labels, whose end tells whether they fire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.alert import Link, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.registry import recognise
from tests.support.tool_payloads import AT, document, payload_of, read_all, read_one

NAME = "prometheus"
FIRING = document("prometheus-api-v2-alerts")
RESOLVED = document("prometheus-api-v2-alerts-resolved")


def with_end(ends_at: object) -> list[dict[str, Any]]:
    return [{**FIRING[0], "endsAt": ends_at}]


def test_firing_alert() -> None:
    """An end that lies in the future is none."""
    alert = read_one(NAME, FIRING)

    assert alert.subject == "web1 down"
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.CRITICAL)
    assert (alert.starts_at, alert.ends_at) == (datetime(2026, 11, 22, 21, 0, tzinfo=UTC), None)
    assert alert.labels["instance"] == "web1:9100"
    assert alert.links == (Link("http://prom.example.com:9090/graph?g0.expr=up%3D%3D0", "Source of the alert"),)
    assert alert.source == "prom.example.com:9090"


def test_resolved_alert() -> None:
    """An end that has passed is one; key, subject and labels are those of the firing alert."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)

    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, datetime(2026, 11, 22, 21, 1, tzinfo=UTC))
    assert (resolved.key, resolved.subject, resolved.labels) == (firing.key, firing.subject, firing.labels)
    assert firing.key.startswith("prometheus/")


@pytest.mark.parametrize(
    ("ends_at", "status"),
    [
        pytest.param(None, Status.FIRING, id="none"),
        pytest.param("0001-01-01T00:00:00Z", Status.FIRING, id="year-1"),
        pytest.param("soon", Status.FIRING, id="no-time"),
        pytest.param((AT + timedelta(seconds=1)).isoformat(), Status.FIRING, id="in-a-second"),
        pytest.param(AT.isoformat(), Status.RESOLVED, id="now"),
        pytest.param((AT - timedelta(seconds=1)).isoformat(), Status.RESOLVED, id="a-second-ago"),
    ],
)
def test_end_tells_the_status(ends_at: object, status: Status) -> None:
    """It fires as long as it has not ended."""
    assert read_one(NAME, with_end(ends_at)).status is status


def test_only_labels_are_needed() -> None:
    """The API of Alertmanager demands no more of an alert."""
    alert = read_one(NAME, [{"labels": {"alertname": "X"}}])
    assert (alert.subject, alert.status, alert.source) == ("X", Status.FIRING, "prometheus")


def test_valid_alerts_beside_an_invalid_one() -> None:
    """As in Alertmanager the valid ones are taken; here the other is mailed as it came."""
    alerts = read_all(NAME, [7, FIRING[0]])
    assert [alert.subject for alert in alerts] == ["Alert that is no JSON object", "web1 down"]
    assert alerts[0].content == "7"


def test_empty_array() -> None:
    """There is nothing to read."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, [])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([{"subject": "a", "labels": {"b": "c"}}], id="native"),
        pytest.param([{"labels": ["a"]}], id="labels-are-a-list"),
        pytest.param([{"name": "a"}], id="no-labels"),
        pytest.param([1, "a", None], id="no-objects"),
    ],
)
def test_other_arrays(value: object) -> None:
    """An array of native alerts, or of anything else, is not taken for Prometheus'."""
    known = recognise(payload_of(value))
    assert known is None or known.name != NAME
