"""Alertmanager: one alert for each of a group, with the key that firing and resolved share."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.alert import Link, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.registry import all_formats
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "alertmanager"
FIRING = document("alertmanager-webhook-v4")
RESOLVED = document("alertmanager-webhook-v4-resolved")


def with_alert(**fields: Any) -> dict[str, Any]:
    return {**FIRING, "alerts": [{**FIRING["alerts"][0], **fields}]}


def test_firing_alert() -> None:
    """What a person on call wants to read is at the place where it belongs."""
    alert = read_one(NAME, FIRING)

    assert alert.subject == "Disk 97% full on db1"
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.CRITICAL)
    assert alert.key == "alertmanager/9f86d081884c7d65"
    assert alert.labels == {"alertname": "DiskFull", "instance": "db1:9100", "severity": "critical"}
    assert (alert.starts_at, alert.ends_at) == (datetime(2026, 11, 22, 21, 0, 0, 123000, UTC), None)
    assert alert.links == (
        Link("https://runbooks.example.com/disk", "Runbook"),
        Link("http://prom.example.com:9090/graph?g0.expr=x", "Source of the alert"),
        Link("http://am.example.com:9093", "Alertmanager"),
    )
    assert alert.source == "am.example.com:9093"


def test_resolved_alert() -> None:
    """It has the end of the trouble, and subject, key, labels and severity of the firing one."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)

    assert resolved.status is Status.RESOLVED
    assert resolved.ends_at == datetime(2026, 11, 22, 21, 30, 0, 123000, UTC)
    assert (resolved.subject, resolved.key, resolved.labels) == (firing.subject, firing.key, firing.labels)
    assert resolved.severity is firing.severity


def test_receiver_is_unquoted() -> None:
    """Alertmanager sends the name of a receiver as a regular expression; people wrote it plain."""
    assert read_one(NAME, FIRING).extra == {"receiver": "mail.ops"}


def test_source_of_a_group_without_a_good_url() -> None:
    """Where the group does not say which Alertmanager it is from, it is from one."""
    assert read_one(NAME, {**FIRING, "externalURL": "http://[broken"}).source == "alertmanager"


def test_group_holds_both() -> None:
    """Each alert of a group has its own status."""
    group = {**FIRING, "alerts": FIRING["alerts"] + RESOLVED["alerts"]}
    assert [alert.status for alert in read_all(NAME, group)] == [Status.FIRING, Status.RESOLVED]


def test_status_of_the_group() -> None:
    """An alert that names no status has that of its group."""
    assert read_one(NAME, {**with_alert(status=None), "status": "resolved"}).status is Status.RESOLVED


def test_left_out_alerts_are_noted() -> None:
    """What `max_alerts` cuts off in Alertmanager is told in the last mail of the group."""
    (*_, last) = read_all(NAME, {**FIRING, "truncatedAlerts": 3})
    assert last.notes == ("The sender left 3 more alerts of this group out.",)


@pytest.mark.parametrize(
    ("labels", "annotations", "subject"),
    [
        pytest.param({"alertname": "Down", "instance": "db1"}, {}, "Down on db1", id="name-and-instance"),
        pytest.param({"alertname": "Watchdog"}, None, "Watchdog", id="name"),
        pytest.param({"job": "node", "zone": "a"}, {"summary": " "}, "job=node, zone=a", id="labels"),
        pytest.param({"alertname": "Down"}, {"summary": "db1 is\ndown"}, "db1 is down", id="summary-on-one-line"),
        pytest.param({}, {"description": "all is lost\nreally"}, "all is lost", id="description"),
    ],
)
def test_subject(labels: object, annotations: object, subject: str) -> None:
    """It names the thing and what is wrong with it, from the best that is there."""
    assert read_one(NAME, with_alert(labels=labels, annotations=annotations)).subject == subject


def test_content_is_the_description_and_what_else_was_annotated() -> None:
    """The summary, which is the subject, is not said twice, and links are among the links."""
    annotations = {
        "summary": "Disk full",
        "impact": "no more orders",
        "dashboard_url": "https://grafana.example.com/d/1",
        "wiki": "http://[broken",
        "description": "/var is 97% full",
    }
    alert = read_one(NAME, with_alert(annotations=annotations))

    assert alert.content == "/var is 97% full\nimpact: no more orders\nwiki: http://[broken"
    assert alert.links[0] == Link("https://grafana.example.com/d/1", "Dashboard")


def test_key_of_an_old_alertmanager() -> None:
    """Without a fingerprint the labels make the key, in whatever order they come."""
    one = read_one(NAME, with_alert(fingerprint=None, labels={"a": "1", "b": "2"}))
    other = read_one(NAME, with_alert(fingerprint="", labels={"b": "2", "a": "1"}))

    assert one.key == other.key
    assert one.key.startswith("alertmanager/")


def test_alert_without_labels_is_a_one_shot() -> None:
    """What has no identity is mailed as it came, and is never taken for another."""
    alert = read_one(NAME, {"receiver": "ops", "alerts": [{"odd": "thing"}]})
    assert (alert.key, alert.labels, alert.content) == ("", {}, '{"odd": "thing"}')


@pytest.mark.parametrize("alerts", [[], None, "x", {}], ids=repr)
def test_no_alerts(alerts: object) -> None:
    """A body without alerts is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {**FIRING, "alerts": alerts})


def test_answer_is_that_of_a_batch() -> None:
    """A group is an array of alerts, also with one in it."""
    assert all_formats()[NAME].read(payload_of(FIRING)).is_batch
