"""Uptime Kuma: heartbeats of monitors with a key, notices without."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.incoming import IncomingBody
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.tool_payloads import PAYLOADS, document, read_all, read_one

NAME = "uptime-kuma"
DOWN = document("uptime-kuma")
UP = document("uptime-kuma-resolved")
LIMITS = SizeLimits(body=2**20, attachments=2**20)


def with_heartbeat(**fields: Any) -> dict[str, Any]:
    return {**DOWN, "heartbeat": {**DOWN["heartbeat"], **fields}}


def with_monitor(**fields: Any) -> dict[str, Any]:
    return {**DOWN, "monitor": {**DOWN["monitor"], **fields}}


def test_down() -> None:
    """A monitor that is down fires, since the time of the heartbeat, which is in UTC."""
    alert = read_one(NAME, DOWN)

    assert (alert.subject, alert.content) == ("web is down", "connect ECONNREFUSED")
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.ERROR)
    assert alert.key == "uptime-kuma/3"
    assert alert.labels == {"monitor": "web", "type": "http"}
    assert alert.links == (Link("https://www.example.com", "web"),)
    assert (alert.starts_at, alert.ends_at) == (datetime(2026, 11, 22, 21, 0, 0, 123000, UTC), None)


def test_up() -> None:
    """A monitor that is up again resolves what its down began."""
    down, up = read_one(NAME, DOWN), read_one(NAME, UP)

    assert (up.status, up.content) == (Status.RESOLVED, "200 - OK\nResponse time: 31 ms")
    assert (up.starts_at, up.ends_at) == (None, datetime(2026, 11, 22, 21, 5, 0, 456000, UTC))
    assert (up.subject, up.key, up.labels, up.severity) == (down.subject, down.key, down.labels, down.severity)


@pytest.mark.parametrize(
    ("status", "subject", "severity"),
    [
        pytest.param(2, "web is pending", Severity.WARNING, id="pending"),
        pytest.param(3, "web is under maintenance", Severity.INFO, id="maintenance"),
        pytest.param("0", "web is down", Severity.ERROR, id="text"),
        pytest.param(9, "web has news", Severity.WARNING, id="unknown"),
        pytest.param(None, "web has news", Severity.WARNING, id="none"),
    ],
)
def test_other_statuses(status: object, subject: str, severity: Severity) -> None:
    """Each has its words, and one that is not known is told all the same."""
    alert = read_one(NAME, with_heartbeat(status=status))
    assert (alert.subject, alert.severity, alert.status) == (subject, severity, Status.FIRING)


def test_monitor_of_a_port() -> None:
    """Its URL is only a scheme; host and port say what it is."""
    alert = read_one(NAME, with_monitor(url="https://", hostname="db1", port=5432, type="port"))
    assert (alert.content, alert.links) == ("connect ECONNREFUSED\nHost: db1:5432", ())


def test_tags_are_labels() -> None:
    """Routes may look at them."""
    tags = [{"name": "team", "value": "blue", "color": "#fff"}, {"name": "prod", "value": ""}, {"value": "x"}, 7]
    assert read_one(NAME, with_monitor(tags=tags)).labels == {
        "monitor": "web",
        "type": "http",
        "team": "blue",
        "prod": "",
    }


def test_test_notification() -> None:
    """Who presses Test gets a mail, without a status to follow."""
    message = "My Notification Testing"
    assert read_one(NAME, document("uptime-kuma-test")) == Alert(
        subject=message, content=message, severity=Severity.INFO, source="uptime-kuma"
    )


def test_certificate_notice() -> None:
    """It is a one-shot warning."""
    message = "[web][https://www.example.com] server certificate www.example.com will expire in 7 days"
    alert = read_one(NAME, {"heartbeat": None, "monitor": None, "msg": message})
    assert (alert.subject, alert.severity, alert.key, alert.labels) == (message, Severity.WARNING, "", {})


def test_multipart() -> None:
    """Sent as a form with one field it is the same alert."""
    text = (PAYLOADS / "uptime-kuma.json").read_text()
    body = f'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n{text}\r\n--b--\r\n'
    incoming = IncomingBody(body.encode(), {b"content-type": b"multipart/form-data; boundary=b"})

    assert read_alerts(incoming, LIMITS).alerts == (read_one(NAME, json.loads(text)),)


@pytest.mark.parametrize("value", [{}, [], {"heartbeat": {}, "monitor": {}, "msg": ""}], ids=repr)
def test_nothing_to_tell(value: object) -> None:
    """It is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, value)
