"""Takes finished alerts out of the journal, a few at a time, so that no commit waits for it."""

import sqlite3
from datetime import datetime

from app.domain.ids import first_id_at
from app.domain.ports import PruneStep
from app.storage.codec import to_ms

STEP = 500  # alerts looked at in one transaction: about 5 ms

OLD = """
SELECT a.id, NOT EXISTS (
    SELECT 1 FROM envelopes AS e WHERE e.alert_id = a.id AND (e.state = 0 OR e.finished_at >= :cutoff))
FROM alerts AS a WHERE a.id > :after AND a.id < :newest ORDER BY a.id LIMIT :step
"""


def prune_step(connection: sqlite3.Connection, cutoff: datetime, after: int) -> PruneStep:
    """Remove alerts with ids over `after` that were accepted and finished before `cutoff`."""
    cutoff_ms = to_ms(cutoff)
    rows = connection.execute(
        OLD, {"after": after, "newest": first_id_at(cutoff_ms), "cutoff": cutoff_ms, "step": STEP}
    ).fetchall()
    gone = [(alert_id,) for alert_id, finished in rows if finished]
    connection.executemany(
        "DELETE FROM deliveries WHERE envelope_id IN (SELECT id FROM envelopes WHERE alert_id = ?)", gone
    )
    connection.executemany("DELETE FROM envelopes WHERE alert_id = ?", gone)
    connection.executemany("DELETE FROM alerts WHERE id = ?", gone)
    return PruneStep(removed=len(gone), after=rows[-1][0] if len(rows) == STEP else None)
