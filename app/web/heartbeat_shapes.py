"""How a heartbeat looks in an answer."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.duration import duration_text
from app.domain.heartbeat import HeartbeatRecord, due_at, overdue_at
from app.domain.heartbeat_schedule import Every, Schedule
from app.web.shapes import time_text

# Without nulls, which FastAPI drops from examples.
HEARTBEATS = {
    "heartbeats": [
        {
            "name": "backup",
            "state": "up",
            "period": "1d",
            "grace": "1h",
            "severity": "error",
            "receiver": "",
            "in_settings": False,
            "since": "2026-03-01T03:00:12.345Z",
            "last_ping_at": "2026-03-04T03:05:06.789Z",
            "due_at": "2026-03-05T03:05:06.789Z",
            "overdue_at": "2026-03-05T04:05:06.789Z",
            "last_run_seconds": 312.0,
            "exit_code": 0,
            "failures": 0,
            "output_bytes": 612,
        }
    ]
}


def heartbeat_shape(record: HeartbeatRecord) -> dict[str, Any]:
    """Return one as JSON. What is not so is null: `started_at` while no run is under way, `down_since` while it is up.

    `due_at` is when the next ping is expected, `overdue_at` when people are told.
    """
    heartbeat, pulse = record.heartbeat, record.pulse
    return {
        "name": heartbeat.name,
        "state": pulse.state,
        **_schedule(heartbeat.schedule),
        "grace": duration_text(heartbeat.grace),
        "severity": heartbeat.severity,
        "receiver": heartbeat.receiver,
        "in_settings": not heartbeat.is_ad_hoc,
        "since": time_text(pulse.since),
        "last_ping_at": _time(pulse.last_ping_at),
        "due_at": time_text(due_at(heartbeat, pulse)),
        "overdue_at": _time(overdue_at(heartbeat, pulse)),
        "started_at": _time(pulse.started_at),
        "last_run_seconds": None if pulse.ran_for is None else pulse.ran_for / timedelta(seconds=1),
        "exit_code": pulse.exit_code,
        "down_since": _time(pulse.down_since),
        "failures": pulse.failures,
        "output_bytes": pulse.output_bytes,
    }


def _schedule(schedule: Schedule) -> dict[str, str | None]:
    if isinstance(schedule, Every):
        return {"period": duration_text(schedule.period), "cron": None, "timezone": None}
    return {"period": None, "cron": schedule.expression, "timezone": schedule.timezone}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
