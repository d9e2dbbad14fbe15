"""How every door hands over what it has read."""

import pytest
import structlog
from structlog.testing import capture_logs

from app.domain.alert import Alert, Severity
from app.domain.errors import JournalUnavailable
from app.domain.ids import format_id
from app.domain.receipt import Receipt, claim_of
from app.intake.handing_over import hand_over
from app.intake.incoming import Reading
from tests.support.fake_once import FakeOnce

READING = Reading(
    (Alert(subject="a", severity=Severity.ERROR, source="db1"), Alert(subject="b")), warnings=("cut",), is_batch=True
)
CLAIM = claim_of("k", b"body", fingerprint=b"")


async def test_all_that_was_read_goes_to_the_pipeline() -> None:
    """Alerts, claims, warnings and the shape of the answer; the ids come back as people see them."""
    once = FakeOnce(first_id=7)
    receipt, names = await hand_over(once, READING, [CLAIM], structlog.get_logger(), door="http")
    assert (receipt, names) == (Receipt((7, 8), ("cut",), is_batch=True), [format_id(7), format_id(8)])
    assert (tuple(once.alerts), once.claims) == (READING.alerts, [CLAIM])


async def test_each_alert_is_logged_with_its_door() -> None:
    """In the same words whichever way it came, and with what the door adds."""
    with capture_logs() as lines:
        await hand_over(FakeOnce(first_id=7), READING, (), structlog.get_logger(), door="spool", spooled_by="root")
    told = {"event": "alert_accepted", "log_level": "info", "door": "spool", "spooled_by": "root"}
    assert lines == [
        {**told, "alert": format_id(7), "severity": "error", "source": "db1"},
        {**told, "alert": format_id(8), "severity": "warning", "source": ""},
    ]


async def test_what_is_not_durable_is_not_logged() -> None:
    """The log never says of an alert that it was accepted when its sender hears otherwise."""
    once = FakeOnce()
    once.fault = JournalUnavailable("disk full")
    with capture_logs() as lines, pytest.raises(JournalUnavailable):
        await hand_over(once, READING, (), structlog.get_logger(), door="smtp")
    assert lines == []
