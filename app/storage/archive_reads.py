"""What people ask of the journal: one alert with its outcomes, and lists of alerts in short pages."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.domain.alert import AcceptedAlert, Severity
from app.domain.envelope import EnvelopeState
from app.domain.report import AlertPage, AlertReport, AlertSummary, EnvelopeReport
from app.storage.acknowledgements import read_events_of_alert
from app.storage.codec import from_ms, read_alert
from app.storage.dead_letters import IS_DEAD, read_events
from app.storage.queue_reads import LetterheadCache, all_deliveries, read_attempted

# Index entries that one read looks at: at most 3 ms. A filter that matches few of a million alerts
# takes many such reads, and the sender's reads go in between.
SCAN = 5_000

# The rule of `state_of_all` (app/domain/envelope.py), over all mails of an alert.
STATE_OF_ALL = f"""
CASE WHEN max(state = {EnvelopeState.OPEN:d}) THEN {EnvelopeState.OPEN:d}
WHEN max({IS_DEAD}) THEN iif(
    max(state IN ({EnvelopeState.SENT:d}, {EnvelopeState.PARTLY_SENT:d})),
    {EnvelopeState.PARTLY_SENT:d}, {EnvelopeState.FAILED:d})
WHEN max(state = {EnvelopeState.DROPPED:d}) THEN {EnvelopeState.DROPPED:d}
ELSE min(state) END
"""
PAGE = f"""
SELECT alerts_of_page.id, (SELECT json_group_array(id) FROM envelopes WHERE alert_id = alerts_of_page.id),
    state_of_all, a.received_at, a.payload
FROM (
    SELECT alert_id AS id, {STATE_OF_ALL} AS state_of_all FROM envelopes INDEXED BY envelopes_alert
    WHERE {{where}} AND (:rank IS NULL OR rank = :rank)
    GROUP BY alert_id HAVING :state IS NULL OR state_of_all = :state
    ORDER BY alert_id DESC LIMIT :limit
) AS alerts_of_page JOIN alerts AS a USING (id) ORDER BY id DESC
"""
IN_REACH = "alert_id < :before AND alert_id >= :after"
# The lowest alert id among the next SCAN entries: where one read stops looking. All mails of that alert are above it.
REACH = """
SELECT alert_id FROM envelopes INDEXED BY envelopes_alert WHERE alert_id < ?
ORDER BY alert_id DESC LIMIT 1 OFFSET ?
"""
AMONG = "alert_id IN (SELECT value FROM json_each(:candidates))"
# An index holds just the mails of a rare state; each state in it is a range of alerts in their order.
# SQLite uses a partial index only where its very condition stands.
OF_STATE = """
SELECT alert_id FROM envelopes INDEXED BY envelopes_failed
WHERE state >= 2 AND state = {state:d} AND alert_id < :before
"""
CANDIDATES = """
SELECT coalesce(json_group_array(alert_id), '[]'), count(*), min(alert_id)
FROM ({of_states} ORDER BY alert_id DESC LIMIT :count)
"""
# An alert's state may be that of one of its mails, or follow from two of them.
STATES_BEHIND: Mapping[EnvelopeState, tuple[EnvelopeState, ...]] = {
    EnvelopeState.PARTLY_SENT: (EnvelopeState.PARTLY_SENT, EnvelopeState.FAILED),
    EnvelopeState.FAILED: (EnvelopeState.FAILED,),
    EnvelopeState.DROPPED: (EnvelopeState.DROPPED,),
    EnvelopeState.KEPT: (EnvelopeState.KEPT,),
}
CHUNK = 2_000  # alerts of a rare state that one read looks at: about 2 ms


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which alerts: those older than `before`, at most `limit`, of one state or severity if given.

    The state is that of all mails of an alert together.
    """

    before: int
    limit: int
    state: EnvelopeState | None
    severity: Severity | None

    @property
    def parameters(self) -> dict[str, Any]:
        """What the statements want to know."""
        return {
            "before": self.before,
            "limit": self.limit,
            "state": self.state,
            "rank": self.severity.rank if self.severity is not None else None,
        }


def read_page(connection: sqlite3.Connection, query: PageQuery) -> AlertPage:
    """Return what one short read found; `next_before` goes on behind it, even if nothing was found.

    No alert is split between two pages: each is found by its own id, with all its mails.
    """
    states = STATES_BEHIND.get(query.state) if query.state is not None else None
    where, parameters, position = _among_rare(connection, query, states) if states else _in_reach(connection, query)
    rows = connection.execute(PAGE.format(where=where), query.parameters | parameters).fetchall()
    summaries = tuple(map(_summary, rows))
    if len(summaries) == query.limit:
        return AlertPage(summaries, next_before=summaries[-1].id)
    return AlertPage(summaries, next_before=position)


def _in_reach(connection: sqlite3.Connection, query: PageQuery) -> tuple[str, dict[str, Any], int | None]:
    """Return a condition on the next alerts, its parameters, and where the read after this one goes on."""
    reach = connection.execute(REACH, (query.before, SCAN - 1)).fetchone()
    return IN_REACH, {"after": reach[0] if reach else 0}, reach[0] if reach else None


def _among_rare(
    connection: sqlite3.Connection, query: PageQuery, states: Sequence[EnvelopeState]
) -> tuple[str, dict[str, Any], int | None]:
    """Return the same for the next alerts that have a mail in one of these states."""
    parameters = {"before": query.before, "count": CHUNK}
    candidates, count, last = connection.execute(candidates_of(states), parameters).fetchone()
    return AMONG, {"candidates": candidates}, last if count == CHUNK else None


def candidates_of(states: Sequence[EnvelopeState]) -> str:
    """Return the statement for the alerts that have a mail in one of these states, the newest first, each once."""
    return CANDIDATES.format(of_states=" UNION ".join(OF_STATE.format(state=state) for state in states))


def _summary(row: tuple[Any, ...]) -> AlertSummary:
    alert_id, envelope_ids, state, received_at, payload = row
    alert = read_alert(payload)
    return AlertSummary(
        id=alert_id,
        received_at=from_ms(received_at),
        subject=alert.subject,
        severity=alert.severity,
        status=alert.status,
        source=alert.source,
        envelope_ids=tuple(sorted(orjson.loads(envelope_ids))),
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
        acknowledgements=read_events_of_alert(connection, alert_id),
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
