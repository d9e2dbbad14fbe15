"""Zabbix: the macros that a media type script posts, in either spelling, resolved or not."""

from datetime import UTC, datetime

import pytest

from app.domain.alert import Alert, Link, Severity, Status
from app.intake.format import NotUnderstood
from tests.support.tool_payloads import document, read_all, read_one

NAME = "zabbix"
FIRING = document("zabbix")
RESOLVED = document("zabbix-resolved")
AT = datetime(2026, 11, 22, 21, tzinfo=UTC)


def test_problem() -> None:
    """It is named with its host, has the key of its event, and a way back to it."""
    assert read_one(NAME, FIRING) == Alert(
        subject="Disk full on db1",
        content="Problem started at 21:00:00 on 2026.11.22",
        severity=Severity.ERROR,
        source="zabbix",
        labels={"host": "db1", "scope": "capacity"},
        key="zabbix/8123",
        starts_at=AT,
        links=(Link("https://zabbix.example.com/tr_events.php?triggerid=23001&eventid=8123", "Zabbix"),),
        extra={"address": "10.0.0.5"},
    )


def test_recovery() -> None:
    """It has the key, subject and severity of the problem, and an end."""
    firing, resolved = read_one(NAME, FIRING), read_one(NAME, RESOLVED)
    assert resolved.status is Status.RESOLVED
    assert (resolved.key, resolved.subject, resolved.severity) == (firing.key, firing.subject, firing.severity)
    assert (resolved.starts_at, resolved.ends_at) == (AT, datetime(2026, 11, 22, 21, 4, 30, tzinfo=UTC))


def test_names_with_underscores_are_the_same() -> None:
    """The media types that Zabbix brings along write their parameters so."""
    lower = {name.replace(".", "_").lower(): value for name, value in FIRING.items()}
    assert read_one(NAME, lower) == read_one(NAME, FIRING)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"EVENT.VALUE": "1", "TRIGGER.STATUS": "OK"}, Status.FIRING, id="event-outweighs-trigger"),
        pytest.param({"EVENT.VALUE": "1", "EVENT.RECOVERY.VALUE": "0"}, Status.RESOLVED, id="recovery-value"),
        pytest.param({"TRIGGER.STATUS": "OK"}, Status.RESOLVED, id="trigger-status"),
        pytest.param({"EVENT.STATUS": "RESOLVED"}, Status.RESOLVED, id="event-status"),
        pytest.param({"EVENT.VALUE": "{EVENT.VALUE}", "TRIGGER.VALUE": "0"}, Status.RESOLVED, id="unresolved-macro"),
        pytest.param({}, Status.FIRING, id="nothing"),
    ],
)
def test_status_is_that_of_the_event(fields: dict[str, str], status: Status) -> None:
    """The event says it, and where it is not posted, the trigger."""
    assert read_one(NAME, {"EVENT.NAME": "Disk full", **fields}).status is status


@pytest.mark.parametrize(
    ("number", "severity"),
    [("0", Severity.INFO), ("2", Severity.WARNING), ("3", Severity.WARNING), ("5", Severity.CRITICAL)],
)
def test_severity_is_the_number(number: str, severity: Severity) -> None:
    """The names of severities can be changed, their numbers not."""
    renamed = FIRING | {"EVENT.NSEVERITY": number, "EVENT.SEVERITY": "Wibble"}
    assert read_one(NAME, renamed).severity is severity


def test_severity_by_its_name() -> None:
    """Where only the name is posted it counts."""
    assert read_one(NAME, {"EVENT.NAME": "x", "EVENT.SEVERITY": "Disaster"}).severity is Severity.CRITICAL


@pytest.mark.parametrize("subject", ["Problem: Disk full", "Resolved in 4m 30s: Disk full", "Disk full"])
def test_subject_of_the_message_without_its_status(subject: str) -> None:
    """Zabbix' own templates put the status before the name; problem and recovery would have two subjects."""
    made = read_one(NAME, {"ALERT.SUBJECT": subject, "TRIGGER.ID": "7"})
    assert (made.subject, made.key) == ("Disk full", "zabbix/trigger/7")


def test_an_update_says_who_did_what() -> None:
    """An acknowledgement comes first in the text."""
    update = {"EVENT.UPDATE.STATUS": "1", "USER.FULLNAME": "Ops", "EVENT.UPDATE.ACTION": "acknowledged"}
    assert read_one(NAME, FIRING | update).content.startswith("Update: Ops acknowledged\n")


def test_tags_that_come_later_are_no_labels() -> None:
    """Media types tag events themselves; the identity must stay the same."""
    tagged = FIRING | {"EVENT.TAGS": "scope:capacity,__zbx_ticket:77"}
    assert read_one(NAME, tagged).labels == read_one(NAME, FIRING).labels


def test_unix_seconds_outweigh_a_time_without_offset() -> None:
    """Newer versions of Zabbix have a time that is the same everywhere."""
    assert read_one(NAME, FIRING | {"EVENT.TIMESTAMP": "1795381205"}).starts_at == AT.replace(second=5)


def test_without_a_name_it_is_not_understood() -> None:
    """There is nothing to call it."""
    with pytest.raises(NotUnderstood):
        read_all(NAME, {"EVENT.ID": "1", "EVENT.NAME": "{EVENT.NAME}"})
