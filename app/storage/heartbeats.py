"""Heartbeats in the journal: written with the alerts that they raise, read as a whole at the start."""

import sqlite3
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from app.domain.heartbeat import Heartbeat, HeartbeatRecord, Pulse, PulseState
from app.domain.heartbeat_schedule import Cron, Every, Schedule
from app.storage.codec import encode_json, from_ms, to_ms
from app.storage.rows import Row

log = structlog.get_logger()

PUT_HEARTBEAT = """
INSERT INTO heartbeats (name, body, output) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET body = excluded.body, output = coalesce(excluded.output, output)
"""
MILLISECOND = timedelta(milliseconds=1)


def heartbeat_row(record: HeartbeatRecord) -> Row:
    """Return name, body and output; without one, that which is there stays.

    Severity, receiver and matchers are in the settings alone, and no ping makes any.
    """
    heartbeat, pulse = record.heartbeat, record.pulse
    body: dict[str, Any] = {
        "schedule": _schedule_json(heartbeat.schedule),
        "grace": _span(heartbeat.grace),
        "ad_hoc": heartbeat.is_ad_hoc,
        "since": to_ms(pulse.since),
        "state": pulse.state,
        "last_ping_at": _time(pulse.last_ping_at),
        "started_at": _time(pulse.started_at),
        "ran_for": None if pulse.ran_for is None else _span(pulse.ran_for),
        "exit_code": pulse.exit_code,
        "down_since": _time(pulse.down_since),
        "failures": pulse.failures,
        "deaf_for": _span(pulse.deaf_for),
        "output_bytes": pulse.output_bytes,
    }
    return (heartbeat.name, encode_json(body), record.output)


def read_heartbeats(connection: sqlite3.Connection) -> list[HeartbeatRecord]:
    """Return all that can be read, without their output; one that cannot is logged, and begins anew."""
    records = []
    for name, body in connection.execute("SELECT name, body FROM heartbeats").fetchall():
        try:
            records.append(_record(name, orjson.loads(body)))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            log.warning("heartbeat_unreadable", heartbeat=name, error=str(error))
    return records


def read_output(connection: sqlite3.Connection, name: str) -> bytes:
    """Return what the last ping of this heartbeat brought along, b"" if there is nothing."""
    row = connection.execute("SELECT output FROM heartbeats WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row and row[0] else b""


def remove_heartbeat(connection: sqlite3.Connection, name: str) -> None:
    """Remove it with all that is known of it."""
    connection.execute("DELETE FROM heartbeats WHERE name = ?", (name,))


def _record(name: str, body: dict[str, Any]) -> HeartbeatRecord:
    heartbeat = Heartbeat(
        name=name,
        schedule=_schedule(body["schedule"]),
        grace=MILLISECOND * body["grace"],
        is_ad_hoc=body["ad_hoc"],
    )
    pulse = Pulse(
        since=from_ms(body["since"]),
        state=PulseState(body["state"]),
        last_ping_at=_moment(body["last_ping_at"]),
        started_at=_moment(body["started_at"]),
        ran_for=None if body["ran_for"] is None else MILLISECOND * body["ran_for"],
        exit_code=body["exit_code"],
        down_since=_moment(body["down_since"]),
        failures=body["failures"],
        deaf_for=MILLISECOND * body["deaf_for"],
        output_bytes=body["output_bytes"],
    )
    return HeartbeatRecord(heartbeat, pulse)


def _schedule_json(schedule: Schedule) -> Any:
    match schedule:
        case Every(period):
            return _span(period)
        case Cron(expression, timezone):
            return [expression, timezone]


def _schedule(value: Any) -> Schedule:
    return Every(MILLISECOND * value) if isinstance(value, int) else Cron(*value)


def _span(time: timedelta) -> int:
    return time // MILLISECOND


def _time(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
