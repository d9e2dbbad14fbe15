"""Nagios and Icinga: notifications of services and hosts, in every spelling of their macros."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from app.domain.alert import Alert, Severity, Status
from app.intake.format import NotUnderstood
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from tests.support.incoming import incoming
from tests.support.tool_payloads import document, read_all, read_one

NAME = "icinga"
FIRING = document("icinga")
RESOLVED = document("icinga-resolved")
HOST = document("icinga-host")
AT = datetime(2026, 11, 22, 21, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


def test_problem_of_a_service() -> None:
    """It is called by its names for people, and its key by those for machines."""
    assert read_one(NAME, FIRING) == Alert(
        subject="Disk on DB 1 is CRITICAL",
        content="DISK CRITICAL - free 3%\nState: CRITICAL",
        severity=Severity.CRITICAL,
        source="icinga",
        labels={"host": "db1", "service": "disk"},
        key="icinga/db1!disk",
        starts_at=AT,
        extra={"address": "10.0.0.5"},
    )


def test_recovery_of_a_service() -> None:
    """It has key, subject and severity of the problem, if the state before is told."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)
    assert (resolved.status, resolved.ends_at) == (Status.RESOLVED, AT + HALF_AN_HOUR)
    assert (resolved.key, resolved.subject, resolved.severity) == (firing.key, firing.subject, firing.severity)


def test_recovery_without_the_state_before() -> None:
    """Nobody knows how bad it was."""
    untold = {name: value for name, value in RESOLVED.items() if name != "lastservicestate"}
    made = read_one(NAME, untold)
    assert (made.subject, made.severity) == ("Disk on DB 1", Severity.WARNING)


def test_host_by_the_macros_of_nagios() -> None:
    """A host has no service fields, and its time is Unix seconds."""
    firing, resolved = read_one(NAME, HOST), read_one(NAME, document("icinga-host-resolved"))
    assert (firing.subject, firing.key, firing.severity) == ("db1 is DOWN", "icinga/db1", Severity.CRITICAL)
    assert (firing.labels, firing.starts_at) == ({"host": "db1"}, AT)
    assert (resolved.status, resolved.subject, resolved.severity) == (
        Status.RESOLVED,
        firing.subject,
        firing.severity,
    )


@pytest.mark.parametrize("prefix", ["", "NAGIOS_", "ICINGA_"])
def test_macros_as_environment_variables(prefix: str) -> None:
    """Both export their macros to commands under their own prefix."""
    assert read_one(NAME, {prefix + name: value for name, value in HOST.items()}) == read_one(NAME, HOST)


def test_form() -> None:
    """curl sends the fields as a form."""
    body = urlencode(FIRING).encode()
    limits = SizeLimits(body=2**20, attachments=0)
    reading = read_alerts(incoming(body, "application/x-www-form-urlencoded"), limits)
    assert reading.alerts == (read_one(NAME, FIRING),)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("ACKNOWLEDGEMENT", "Acknowledged: Disk on DB 1 is CRITICAL"),
        ("FLAPPINGSTART", "Flapping: Disk on DB 1 is CRITICAL"),
        ("FLAPPINGSTOP", "No longer flapping: Disk on DB 1 is CRITICAL"),
        ("DOWNTIMESTART", "Downtime begins: Disk on DB 1 is CRITICAL"),
        ("DOWNTIMEEND", "Downtime ends: Disk on DB 1 is CRITICAL"),
        ("CUSTOM", "Notice: Disk on DB 1 is CRITICAL"),
    ],
)
def test_other_notifications_are_one_shots(kind: str, subject: str) -> None:
    """They neither begin nor end a problem: without an identity they change nobody's status."""
    made = read_one(NAME, FIRING | {"notificationtype": kind, "author": "Ops", "comment": "on it"})
    assert (made.subject, made.key, made.labels) == (subject, "", {})
    assert (made.status, made.extra) == (Status.FIRING, {"host": "db1", "service": "disk"})
    assert made.content.endswith("Comment of Ops: on it")


@pytest.mark.parametrize(
    ("state", "severity"),
    [("WARNING", Severity.WARNING), ("UNKNOWN", Severity.WARNING), ("CRITICAL", Severity.CRITICAL)],
)
def test_severity_is_the_state(state: str, severity: Severity) -> None:
    """A state says how bad it is."""
    assert read_one(NAME, FIRING | {"servicestate": state}).severity is severity


@pytest.mark.parametrize("said", ["Sun Nov 22 21:00:00 CET 2026", " " * 100 + "x", ""])
def test_time_that_cannot_be_read_is_none(said: str) -> None:
    """Nagios writes times in the language and zone of the server; none is better than a wrong one."""
    assert read_one(NAME, FIRING | {"longdatetime": said}).starts_at is None


@pytest.mark.parametrize("fields", [{"notificationtype": "PROBLEM"}, {"hostname": "db1"}])
def test_without_type_or_host_it_is_not_understood(fields: dict[str, str]) -> None:
    """A notification is of something."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, fields)
