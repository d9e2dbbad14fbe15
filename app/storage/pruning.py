"""Takes finished alerts out of the journal, a few at a time, so that no commit waits for it."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from app.domain.ids import first_id_at
from app.domain.ports import PruneStep
from app.storage.codec import to_ms

STEP = 500  # alerts looked at in one transaction: about 5 ms
STEP_PIECES = 32  # of attachments, 8 MiB: SQLite looks at every page that it frees

OLD = """
SELECT a.id, NOT EXISTS (
    SELECT 1 FROM envelopes AS e
    WHERE e.alert_id = a.id AND (e.state = 0 OR e.finished_at >= :cutoff OR e.running_seconds >= :made_before)),
    (SELECT count(*) FROM attachments WHERE alert_id = a.id)
FROM alerts AS a WHERE a.id > :after AND a.id < :newest ORDER BY a.id LIMIT :step
"""
DELETIONS = (
    "DELETE FROM deliveries WHERE envelope_id IN (SELECT id FROM envelopes WHERE alert_id = ?)",
    "DELETE FROM events WHERE envelope_id IN (SELECT id FROM envelopes WHERE alert_id = ?)",
    "DELETE FROM envelopes WHERE alert_id = ?",
    "DELETE FROM attachments WHERE alert_id = ?",
    "DELETE FROM acknowledgements WHERE alert_id = ?",
    "DELETE FROM alerts WHERE id = ?",
)


def prune_step(connection: sqlite3.Connection, cutoff: datetime, made_before: int, after: int) -> PruneStep:
    """Remove alerts with ids over `after` that were accepted and finished before `cutoff`.

    Their mails were made before `made_before` running seconds too: a clock that jumps prunes nothing.
    """
    cutoff_ms = to_ms(cutoff)
    query = {
        "after": after,
        "newest": first_id_at(cutoff_ms),
        "cutoff": cutoff_ms,
        "made_before": made_before,
        "step": STEP,
    }
    rows = connection.execute(OLD, query).fetchall()
    count = _rows_of_one_step(rows)
    gone = [(alert_id,) for alert_id, is_finished, _ in rows[:count] if is_finished]
    for deletion in DELETIONS:
        connection.executemany(deletion, gone)
    is_last = count == len(rows) < STEP
    return PruneStep(removed=len(gone), after=None if is_last else rows[count - 1][0])


def _rows_of_one_step(rows: Sequence[tuple[int, int, int]]) -> int:
    """Return how many of the rows to deal with now: all, unless the attachments to delete are too many."""
    pieces = 0
    for number, (_, is_finished, pieces_of_alert) in enumerate(rows, start=1):
        pieces += pieces_of_alert if is_finished else 0
        if pieces >= STEP_PIECES:
            return number
    return len(rows)
