"""What the writer commits: accepted alerts, verdicts of the sender, and rare errands."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.storage.rows import Row, write_rows

INSERT_ALERTS = "INSERT INTO alerts (id, received_at, payload)"
INSERT_ENVELOPES = "INSERT INTO envelopes (id, alert_id, letterhead_id, made_at, rank, usable_seconds, due_at)"
UPDATE_ENVELOPES = (
    "UPDATE envelopes SET state = v.column2, due_at = v.column3, finished_at = v.column4, ambiguous = v.column5 FROM ("
)
UPDATE_ENVELOPES_WHERE = ") AS v WHERE envelopes.id = v.column1 AND envelopes.state = 0"
REPLACE_DELIVERIES = (
    "INSERT OR REPLACE INTO deliveries"
    " (envelope_id, position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous)"
)
COUNT_OPEN = "UPDATE meta SET value = value + ? WHERE name = 'open'"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Alerts and their envelopes, taken together or not at all."""

    alerts: Sequence[Row]
    envelopes: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Marking:
    """The outcome of an attempt. `closes`: 1 if it finished its envelope."""

    envelope: Row
    deliveries: Sequence[Row]
    closes: int


@dataclass(frozen=True, slots=True)
class Errand:
    """Something rare that runs in the transaction; its result goes back to who asked."""

    run: Callable[[sqlite3.Connection], Any]


Change = Acceptance | Marking | Errand


def opened_by(change: Change) -> int:
    """Return by how much the change raises the number of open envelopes."""
    match change:
        case Acceptance(envelopes=envelopes):
            return len(envelopes)
        case Marking(closes=closes):
            return -closes
        case _:
            return 0


def apply(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    """Run the changes in the open transaction, the like together; return the result of each errand, which run last."""
    acceptances = [change for change in changes if isinstance(change, Acceptance)]
    markings = [change for change in changes if isinstance(change, Marking)]
    write_rows(connection, INSERT_ALERTS, [row for change in acceptances for row in change.alerts])
    write_rows(connection, INSERT_ENVELOPES, [row for change in acceptances for row in change.envelopes])
    write_rows(connection, UPDATE_ENVELOPES, [change.envelope for change in markings], after=UPDATE_ENVELOPES_WHERE)
    write_rows(connection, REPLACE_DELIVERIES, [row for change in markings for row in change.deliveries])
    opened = sum(map(opened_by, changes))
    if opened:
        connection.execute(COUNT_OPEN, (opened,))
    return [change.run(connection) if isinstance(change, Errand) else None for change in changes]
