"""Healthchecks: a check that is down, and up again."""

from datetime import UTC, datetime

import pytest

from app.domain.alert import Severity, Status
from app.intake.format import NotUnderstood
from app.intake.registry import recognise
from tests.support.tool_payloads import document, payload_of, read_all, read_one

NAME = "healthchecks"
DOWN = document("healthchecks")
UP = document("healthchecks-resolved")


def test_down() -> None:
    """It fires since its ping was due, and says when the last one came."""
    alert = read_one(NAME, DOWN)

    assert alert.subject == "nightly backup is down"
    assert alert.content.splitlines() == [
        "Last ping: 2026-11-22T01:00:00+00:00",
        "Period: 1 day, 0:00:00",
        "Grace: 1:00:00",
    ]
    assert (alert.status, alert.severity) == (Status.FIRING, Severity.ERROR)
    assert alert.key == "healthchecks/5e3bd0a5-1b3c-4e0f-9a60-6f2c1f5d0c11"
    assert alert.labels == {"check": "nightly backup", "tags": "prod db"}
    assert (alert.starts_at, alert.ends_at) == (datetime(2026, 11, 23, 1, tzinfo=UTC), None)


def test_up() -> None:
    """A check that is up again resolves what its down began, at its last ping."""
    down, up = read_one(NAME, DOWN), read_one(NAME, UP)

    assert (up.status, up.ends_at) == (Status.RESOLVED, datetime(2026, 11, 23, 2, 10, tzinfo=UTC))
    assert (up.subject, up.key, up.labels, up.severity) == (down.subject, down.key, down.labels, down.severity)


def test_newer_versions() -> None:
    """Their `subject`, which filters mails to the check, does not make it a native alert."""
    value = {**DOWN, "subject": "OK", "subject_fail": "", "filter_subject": True}
    known = recognise(payload_of(value))
    assert known is not None
    assert known.name == NAME


def test_cron_check() -> None:
    """Its schedule stands in the text, with the description first."""
    alert = read_one(NAME, {**DOWN, "desc": "See the wiki", "schedule": "5 4 * * *", "tz": "UTC", "timeout": None})
    assert alert.content.splitlines()[0] == "See the wiki"
    assert "Schedule: 5 4 * * * UTC" in alert.content


def test_no_link_pings_the_check() -> None:
    """Somebody who opens the mail must not tell Healthchecks that all is well."""
    assert read_one(NAME, {**DOWN, "ping_url": "https://hc.example.com/ping/5e3b"}).links == ()


def test_check_without_a_name() -> None:
    """It is called by its identity."""
    alert = read_one(NAME, {**DOWN, "name": "", "slug": "", "uuid": None, "unique_key": "a6c7"})
    assert (alert.subject, alert.key) == ("Check a6c7 is down", "healthchecks/a6c7")


def test_endless_period() -> None:
    """A number that no time can be costs a line, not the alert."""
    assert "Period" not in read_one(NAME, {**DOWN, "timeout": 1e300}).content


@pytest.mark.parametrize("value", [{}, [], {"status": "down"}], ids=repr)
def test_no_check(value: object) -> None:
    """It is not understood, so that it is mailed as it came."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, value)
