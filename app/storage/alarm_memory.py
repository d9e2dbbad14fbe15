"""The record of alarms, so that a restart does not raise one again within its quiet time."""

import sqlite3
from datetime import datetime, timedelta

from app.storage.codec import to_ms

FORGET_AFTER = timedelta(days=1)  # longer than any quiet time; without an end the table would grow for ever

# A time in the future was noted before the clock was set back, and says nothing.
FORGET = """
DELETE FROM alarms
WHERE raised_at > :at OR raised_at <= :forgotten OR (cause = :cause AND raised_at <= :quiet_before)
"""
NOTE = "INSERT OR IGNORE INTO alarms (cause, raised_at) VALUES (:cause, :at)"


def note_alarm(connection: sqlite3.Connection, cause: str, at: datetime, quiet: timedelta) -> bool:
    """Note that an alarm is raised for `cause`, unless one was within `quiet`; return whether it was noted."""
    parameters = {
        "cause": cause,
        "at": to_ms(at),
        "quiet_before": to_ms(at - quiet),
        "forgotten": to_ms(at - FORGET_AFTER),
    }
    connection.execute(FORGET, parameters)
    return connection.execute(NOTE, parameters).rowcount == 1
