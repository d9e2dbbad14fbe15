"""Spool files as alerts: who left them is told, and nothing that they hold is lost."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import AllowedRecipients, Principal
from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.domain.spooled import SpooledAlert, encode_spooled
from app.intake.sizes import SizeLimits
from app.intake.spool_folder import SpoolFile
from app.intake.spool_reading import SpoolReader, SpoolReading
from tests.support.clock import NOW

ALLOWED = AllowedRecipients.of(["example.org"])
READER = SpoolReader(
    principal=Principal(name="spool", allowed_recipients=ALLOWED), limits=SizeLimits(10_000, 1_000), host="db1"
)
KEY = "0" * 32
AS_IT_IS = "mailed as it was"


def file_of(data: bytes) -> SpoolFile:
    return SpoolFile("1.alert", data, "alice")


def spooled(body: Any, **more: Any) -> SpooledAlert:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SpooledAlert(key=KEY, body=data, made_at=NOW, **more)


def read(body: Any, **more: Any) -> SpoolReading:
    return READER.read(file_of(encode_spooled(spooled(body, **more))), at=NOW)


def alert_of(found: SpoolReading) -> Alert:
    (alert,) = found.reading.alerts
    return alert


def test_the_alert_is_read_as_if_it_was_posted() -> None:
    """Its fields, its receivers, and the claims under which a post may have come before."""
    found = read({"subject": "s", "severity": "error"}, receivers=("dba",))
    alert = alert_of(found)
    assert (alert.subject, alert.severity, alert.receivers) == ("s", "error", ("dba",))
    assert found.claims == spooled({"subject": "s", "severity": "error"}, receivers=("dba",)).claims()


def test_the_owner_of_the_file_is_the_source() -> None:
    """The kernel says who it was; the time tells how long the alert lay there."""
    alert = alert_of(read({"subject": "s"}))
    assert alert.source == "alice@db1"
    assert alert.extra == {"spooled_by": "alice@db1", "spooled_at": NOW.isoformat()}


def test_a_source_that_is_named_does_not_hide_the_owner() -> None:
    """Nor can the alert's own fields say that somebody else left it."""
    alert = alert_of(read({"subject": "s", "source": "cron@db2", "spooled_by": "root@db1", "x": 1}))
    assert alert.source == "cron@db2"
    assert alert.extra == {"spooled_by": "alice@db1", "spooled_at": NOW.isoformat(), "x": 1}


def test_it_addresses_only_whom_it_may() -> None:
    """The spool is no open relay either."""
    found = read({"subject": "s", "to": ["a@example.org", "b@elsewhere.example"]})
    assert alert_of(found).to == (Mailbox("a@example.org"),)
    assert alert_of(found).also_routed
    assert found.reading.warnings


def test_files_that_are_too_large_are_left_out() -> None:
    """The alert itself goes as it was meant."""
    files = [{"name": "a", "content": "eHh4" * 500}]
    alert = alert_of(read({"subject": "s", "attachments": files}))
    assert (alert.subject, alert.attachments) == ("s", ())
    assert "too large" in alert.notes[0]


@pytest.mark.parametrize(
    "body",
    [
        {"subject": ""},
        {"content": "no subject"},
        b"no JSON",
        b"",
        b"[" * 9_000,
        b'{"subject":"' + b"x" * 20_000,
        b'{"subject":"s","attachments":[' + b"[]," * 20_000,
        {"subject": "", "attachments": [{"content": "eHh4" * 500}]},
    ],
    ids=["empty subject", "no subject", "text", "nothing", "deep", "long", "structure", "wrong twice"],
)
def test_what_cannot_be_taken_is_mailed_as_it_is(body: Any) -> None:
    """Nobody waits for an answer, so nothing may be refused."""
    found = read(body)
    alert = alert_of(found)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert alert.content[:1000] == data.decode()[:1000]
    assert AS_IT_IS in alert.notes[0]
    assert alert.source == "alice@db1"


def test_a_damaged_file_is_mailed_once() -> None:
    """Its own bytes are its key: a crash before its removal makes no second mail."""
    data = encode_spooled(spooled({"subject": "s"}))[:-3]
    first, second = (READER.read(file_of(data), at=NOW) for _ in range(2))
    other = READER.read(replace(file_of(data), name="2.alert"), at=NOW)
    assert AS_IT_IS in alert_of(first).notes[0]
    assert first.claims == second.claims
    assert first.claims != other.claims


@given(st.binary(max_size=300))
def test_no_file_and_no_body_raises(data: bytes) -> None:
    """Whatever lies there makes one alert at least."""
    assert READER.read(file_of(data), at=NOW).reading.alerts
    assert read(data).reading.alerts
