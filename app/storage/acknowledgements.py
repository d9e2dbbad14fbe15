"""Acknowledgements in the journal: all events of each alert, and which of them stands."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.storage.codec import from_ms, to_ms

AckRow = dict[str, Any]  # the values of one event, by the names of the columns

# A later event replaces an earlier one, whatever their times say: clocks are set back.
SUPERSEDE = "UPDATE acknowledgements SET stands = 0 WHERE alert_id = :alert_id AND stands = 1"
ADD = """
INSERT INTO acknowledgements (alert_id, at, action, who, how, until, source, stands)
SELECT :alert_id, :at, :action, :who, :how, :until, :source, :stands
WHERE EXISTS (SELECT 1 FROM alerts WHERE id = :alert_id)
"""
IS_KNOWN = "SELECT EXISTS (SELECT 1 FROM acknowledgements WHERE alert_id = :alert_id AND source = :source)"
EVENTS = "SELECT at, action, who, how, until, source FROM acknowledgements WHERE alert_id = ? ORDER BY id"
STANDING = """
SELECT coalesce(json_group_array(json_array(alert_id, until)), '[]') FROM (
    SELECT alert_id, until FROM acknowledgements INDEXED BY acknowledgements_standing
    WHERE stands = 1 AND (until IS NULL OR until > ?) ORDER BY id)
"""
# A condition on `envelopes`: nobody sees to the alert at the time `now`.
IS_UNACKNOWLEDGED = """
NOT EXISTS (
    SELECT 1 FROM acknowledgements AS k INDEXED BY acknowledgements_standing
    WHERE k.alert_id = envelopes.alert_id AND k.stands = 1 AND (k.until IS NULL OR k.until > :now))
"""


def ack_row(alert_id: int, event: AckEvent) -> AckRow:
    """Return what stands in the journal of the event."""
    return {
        "alert_id": alert_id,
        "at": to_ms(event.at),
        "action": event.action,
        "who": event.who,
        "how": event.how,
        "until": None if event.until is None else to_ms(event.until),
        "source": event.source,
        "stands": event.action is AckAction.ACKNOWLEDGED,
    }


def add_events(connection: sqlite3.Connection, rows: Sequence[AckRow]) -> bool:
    """Add the events in order; whether the alerts of all are known. One of an alert that is not changes nothing.

    Nor does one of a mail that is on record for its alert: it is that mail, found again.
    """
    added = [_add(connection, row) for row in rows]
    return all(added)


def _add(connection: sqlite3.Connection, row: AckRow) -> bool:
    if row["source"] and connection.execute(IS_KNOWN, row).fetchone()[0]:
        return True
    connection.execute(SUPERSEDE, row)
    return connection.execute(ADD, row).rowcount > 0


def read_events_of_alert(connection: sqlite3.Connection, alert_id: int) -> tuple[AckEvent, ...]:
    """Return who acknowledged the alert or took that back, in order."""
    rows = connection.execute(EVENTS, (alert_id,)).fetchall()
    return tuple(
        AckEvent(
            at=from_ms(at),
            action=AckAction(action),
            who=who,
            how=AckDoor(how),
            until=_moment(until),
            source=source,
        )
        for at, action, who, how, until, source in rows
    )


def read_standing(connection: sqlite3.Connection, now: datetime) -> dict[int, datetime | None]:
    """Return the alerts that somebody sees to, in the order of the acknowledgements, and until when."""
    rows = orjson.loads(connection.execute(STANDING, (to_ms(now),)).fetchone()[0])
    return {alert_id: _moment(until) for alert_id, until in rows}


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
