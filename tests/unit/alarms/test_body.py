"""What programs are told of an alarm."""

import json

from app.alarms.body import alarm_body
from app.domain.alert import Severity
from tests.support.alarms import an_alarm
from tests.support.clock import NOW


def test_the_body_tells_all_of_the_alarm() -> None:
    """With the name of the server and the time, in ASCII, so that no program stumbles over it."""
    alarm = an_alarm(text="Größe 漢字", severity=Severity.WARNING, facts={"relay": "mx1"})
    body = alarm_body(alarm, server_name="web1", at=NOW)
    assert body.isascii()
    assert json.loads(body) == {
        "cause": "relay: mx1",
        "subject": "A relay is down",
        "text": "Größe 漢字",
        "severity": "warning",
        "server_name": "web1",
        "at": "2026-03-04T05:06:07.890+00:00",
        "facts": {"relay": "mx1"},
    }
