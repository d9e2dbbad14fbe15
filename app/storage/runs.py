"""The record of the daemon's starts: whether the last one ended cleanly, and which were announced."""

import sqlite3
from datetime import datetime

from app.domain.runs import PreviousRuns
from app.storage.codec import from_ms, to_ms
from app.storage.leases import clear_leases

KEEP = 1000  # runs; a restart loop makes fewer between two notices, and the second one counts them


def begin_run(connection: sqlite3.Connection, at: datetime) -> tuple[int, PreviousRuns]:
    """Record a start; return its number, and what is known of the runs before it."""
    before = _previous_runs(connection)
    run = connection.execute("INSERT INTO runs (started_at) VALUES (?) RETURNING id", (to_ms(at),)).fetchone()[0]
    connection.execute("DELETE FROM runs WHERE id <= ?", (run - KEEP,))
    return int(run), before


def _previous_runs(connection: sqlite3.Connection) -> PreviousRuns:
    last = connection.execute("SELECT ended_at FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    noticed = connection.execute(
        "SELECT id, started_at FROM runs WHERE noticed = 1 ORDER BY id DESC LIMIT 1"
    ).fetchone()
    unannounced = connection.execute(
        "SELECT count(*) FROM runs WHERE id > ?", (noticed[0] if noticed else 0,)
    ).fetchone()[0]
    return PreviousRuns(
        any=last is not None,
        ended_cleanly=last is None or last[0] is not None,
        last_notice_at=from_ms(noticed[1]) if noticed else None,
        unannounced=unannounced,
    )


def mark_noticed(connection: sqlite3.Connection, run: int) -> None:
    """Record that this start was announced."""
    connection.execute("UPDATE runs SET noticed = 1 WHERE id = ?", (run,))


def end_run(connection: sqlite3.Connection, run: int, at: datetime) -> None:
    """Record that the run ended cleanly: nothing is under way any more."""
    clear_leases(connection)
    connection.execute("UPDATE runs SET ended_at = ? WHERE id = ?", (to_ms(at), run))
