"""What people ask of the journal: one alert with its outcomes, and lists of alerts in short pages."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from app.domain.alert import AcceptedAlert, Severity
from app.domain.envelope import EnvelopeState
from app.domain.report import AlertPage, AlertReport, AlertSummary, EnvelopeReport
from app.storage.codec import from_ms, read_alert
from app.storage.dead_letters import read_events
from app.storage.queue_reads import LetterheadCache, all_deliveries, read_attempted

# Index entries that one read looks at: about 2 ms. A filter that matches few of a million alerts
# takes many such reads, and the sender's reads go in between.
SCAN = 20_000

PAGE = """
SELECT e.alert_id, e.id, e.state, a.received_at, a.payload FROM (
    SELECT alert_id, id, state FROM envelopes INDEXED BY {index}
    WHERE alert_id < :before AND alert_id >= :after AND {filters}
    ORDER BY alert_id DESC LIMIT :limit
) AS e JOIN alerts AS a ON a.id = e.alert_id ORDER BY e.alert_id DESC
"""
# The lowest alert id among the next SCAN entries: where one read stops looking.
REACH = """
SELECT alert_id FROM envelopes INDEXED BY envelopes_alert WHERE alert_id < ?
ORDER BY alert_id DESC LIMIT 1 OFFSET ?
"""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which alerts: those older than `before`, at most `limit`, of one state or severity if given."""

    before: int
    limit: int
    state: EnvelopeState | None
    severity: Severity | None

    @property
    def filters(self) -> str:
        """The conditions, as SQL with named parameters."""
        conditions = ["state = :state"] if self.state is not None else []
        if self.is_rare:
            conditions.append("state >= 2")  # SQLite uses a partial index only where its very condition stands
        if self.severity is not None:
            conditions.append("rank = :rank")
        return " AND ".join(conditions) or "true"

    @property
    def is_rare(self) -> bool:
        """Whether an index holds just the alerts that are asked for, so that no scan is needed."""
        return self.state is not None and self.state >= EnvelopeState.PARTLY_SENT


def read_page(connection: sqlite3.Connection, query: PageQuery) -> AlertPage:
    """Return what one short scan found; `next_before` goes on behind it, even if nothing was found."""
    reach = None if query.is_rare else connection.execute(REACH, (query.before, SCAN - 1)).fetchone()
    parameters = {
        "before": query.before,
        "after": reach[0] if reach else 0,
        "limit": query.limit,
        "state": query.state,
        "rank": query.severity.rank if query.severity is not None else None,
    }
    index = "envelopes_failed" if query.is_rare else "envelopes_alert"
    rows = connection.execute(PAGE.format(index=index, filters=query.filters), parameters).fetchall()
    summaries = tuple(map(_summary, rows))
    if len(summaries) == query.limit:
        return AlertPage(summaries, next_before=summaries[-1].id)
    return AlertPage(summaries, next_before=reach[0] if reach else None)


def _summary(row: tuple[Any, ...]) -> AlertSummary:
    alert_id, envelope_id, state, received_at, payload = row
    alert = read_alert(payload)
    return AlertSummary(
        id=alert_id,
        received_at=from_ms(received_at),
        subject=alert.subject,
        severity=alert.severity,
        status=alert.status,
        source=alert.source,
        envelope_id=envelope_id,
        state=EnvelopeState(state),
    )


def read_report(connection: sqlite3.Connection, alert_id: int, letterheads: LetterheadCache) -> AlertReport | None:
    """Return the alert with all its mails and their outcomes."""
    row = connection.execute("SELECT received_at, payload FROM alerts WHERE id = ?", (alert_id,)).fetchone()
    if row is None:
        return None
    envelopes = connection.execute(
        "SELECT id, state, made_at, due_at, finished_at, letterhead_id, without_attachments"
        " FROM envelopes WHERE alert_id = ? ORDER BY id",
        (alert_id,),
    ).fetchall()
    return AlertReport(
        accepted=AcceptedAlert(alert_id, from_ms(row[0]), read_alert(row[1])),
        envelopes=tuple(_envelope(connection, envelope, letterheads) for envelope in envelopes),
    )


def _envelope(connection: sqlite3.Connection, row: tuple[Any, ...], letterheads: LetterheadCache) -> EnvelopeReport:
    envelope_id, state, made_at, due_at, finished_at, letterhead_id, without_attachments = row
    letterhead = letterheads.get(connection, letterhead_id)
    return EnvelopeReport(
        id=envelope_id,
        state=EnvelopeState(state),
        made_at=from_ms(made_at),
        due_at=from_ms(due_at),
        finished_at=None if finished_at is None else from_ms(finished_at),
        letterhead=letterhead,
        deliveries=all_deliveries(letterhead, read_attempted(connection, envelope_id)),
        events=read_events(connection, envelope_id),
        without_attachments=bool(without_attachments),
    )
