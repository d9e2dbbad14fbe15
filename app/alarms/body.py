"""What programs are told of an alarm: one JSON object."""

import json
from collections.abc import Callable
from datetime import datetime

from app.domain.alarm import Alarm

Body = Callable[[Alarm], bytes]


def alarm_body(alarm: Alarm, *, server_name: str, at: datetime) -> bytes:
    """Return {cause, subject, text, severity, server_name, at, facts} in ASCII; `at` as RFC 3339 writes it."""
    return json.dumps(
        {
            "cause": alarm.cause,
            "subject": alarm.subject,
            "text": alarm.text,
            "severity": alarm.severity,
            "server_name": server_name,
            "at": at.isoformat(timespec="milliseconds"),
            "facts": dict(alarm.facts),
        }
    ).encode()
