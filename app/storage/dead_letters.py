"""Mails that failed for some recipient: listed, sent again, or given up, on the record."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.alert import Severity
from app.domain.dead_letter import DeadLetter, DeadLetterPage, EnvelopeEvent, EnvelopeEventKind
from app.domain.envelope import DEAD, FAILED, DeliveryState, EnvelopeState
from app.domain.ports import FreshStart
from app.storage.codec import encode_json, from_ms, read_alert, to_ms
from app.storage.queue_reads import LetterheadCache, all_deliveries, read_attempted

DEAD_STATES = ", ".join(f"{state:d}" for state in sorted(DEAD))
FAILED_STATES = ", ".join(f"'{state}'" for state in sorted(FAILED))
# The condition of the partial index envelopes_dead, which SQLite uses only where these very words stand.
IS_DEAD = f"state IN ({DEAD_STATES})"
HAS_FAILED = f"state IN ({FAILED_STATES})"

LETTERS = f"""
SELECT e.id, e.alert_id, e.letterhead_id, e.finished_at, e.rank, a.payload
FROM envelopes AS e INDEXED BY envelopes_dead CROSS JOIN alerts AS a ON a.id = e.alert_id
WHERE {IS_DEAD} AND e.id < :before ORDER BY e.id DESC LIMIT :limit
"""
NAMED = f"SELECT id FROM envelopes WHERE (id = :number OR alert_id = :number) AND {IS_DEAD}"
OLDEST = f"""
SELECT id FROM envelopes INDEXED BY envelopes_dead WHERE {IS_DEAD} AND id > :after ORDER BY id LIMIT :limit
"""
RETRY_DELIVERIES = f"""
UPDATE deliveries SET state = '{DeliveryState.PENDING}', attempts = 0
WHERE envelope_id IN (SELECT value FROM json_each(:ids)) AND {HAS_FAILED}
"""
RETRY_ENVELOPES = f"""
UPDATE envelopes SET state = {EnvelopeState.OPEN:d}, finished_at = NULL, due_at = :due_at,
    usable_seconds = :usable_seconds, running_seconds = :running_seconds, bounced = 0,
    ambiguous = EXISTS (
        SELECT 1 FROM deliveries AS d
        WHERE d.envelope_id = envelopes.id AND d.state = '{DeliveryState.PENDING}' AND d.ambiguous)
WHERE id IN (SELECT value FROM json_each(:ids))
"""
DROP_DELIVERIES = f"""
UPDATE deliveries SET state = '{DeliveryState.DROPPED}'
WHERE envelope_id IN (SELECT value FROM json_each(:ids)) AND {HAS_FAILED}
"""
DROP_ENVELOPES = f"""
UPDATE envelopes SET state = {EnvelopeState.DROPPED:d} WHERE id IN (SELECT value FROM json_each(:ids))
"""
RECORD = "INSERT INTO events (envelope_id, at, kind) VALUES (?, ?, ?)"
EVENTS = "SELECT at, kind FROM events WHERE envelope_id = ? ORDER BY id"


def read_dead_letters(
    connection: sqlite3.Connection, before: int, limit: int, letterheads: LetterheadCache
) -> DeadLetterPage:
    """Return dead letters with an envelope id under `before`, newest first."""
    rows = connection.execute(LETTERS, {"before": before, "limit": limit}).fetchall()
    letters = tuple(_dead_letter(connection, row, letterheads) for row in rows)
    return DeadLetterPage(letters, next_before=letters[-1].envelope_id if len(letters) == limit else None)


def _dead_letter(connection: sqlite3.Connection, row: Sequence[Any], letterheads: LetterheadCache) -> DeadLetter:
    envelope_id, alert_id, letterhead_id, finished_at, rank, payload = row
    letterhead = letterheads.get(connection, letterhead_id)
    deliveries = all_deliveries(letterhead, read_attempted(connection, envelope_id))
    return DeadLetter(
        envelope_id=envelope_id,
        alert_id=alert_id,
        failed_at=from_ms(finished_at),
        severity=Severity.of_rank(rank),
        subject=read_alert(payload).subject,
        failed=tuple(
            (mailbox, delivery)
            for mailbox, delivery in zip(letterhead.recipients, deliveries, strict=True)
            if delivery.state in FAILED
        ),
    )


def retry_named(connection: sqlite3.Connection, number: int, start: FreshStart) -> list[int]:
    """Let the recipients that failed wait again; return the ids of the envelopes, none if it is no dead letter."""
    return _retry(connection, _named(connection, number), start)


def retry_oldest(connection: sqlite3.Connection, after: int, limit: int, start: FreshStart) -> list[int]:
    """Do so for up to `limit` dead letters with ids over `after`, the oldest first; return their ids."""
    rows = connection.execute(OLDEST, {"after": after, "limit": limit}).fetchall()
    return _retry(connection, [row[0] for row in rows], start)


def _retry(connection: sqlite3.Connection, ids: list[int], start: FreshStart) -> list[int]:
    """The last reply stays beside each recipient until the next attempt, for people to read."""
    if not ids:
        return ids
    parameters = {
        "ids": encode_json(ids),
        "due_at": to_ms(start.at),
        "usable_seconds": start.usable_seconds,
        "running_seconds": start.running_seconds,
    }
    connection.execute(RETRY_DELIVERIES, parameters)
    connection.execute(RETRY_ENVELOPES, parameters)
    _record(connection, ids, start.at, EnvelopeEventKind.RETRIED)
    return ids


def drop(connection: sqlite3.Connection, number: int, at: datetime) -> bool:
    """Give up the recipients that failed; False if it is no dead letter."""
    ids = _named(connection, number)
    parameters = {"ids": encode_json(ids)}
    connection.execute(DROP_ENVELOPES, parameters)
    connection.execute(DROP_DELIVERIES, parameters)
    _record(connection, ids, at, EnvelopeEventKind.DROPPED)
    return bool(ids)


def _named(connection: sqlite3.Connection, number: int) -> list[int]:
    """Return the dead letters that the id of an envelope or of an alert names; one source gives both kinds."""
    return [row[0] for row in connection.execute(NAMED, {"number": number})]


def _record(connection: sqlite3.Connection, ids: Sequence[int], at: datetime, kind: EnvelopeEventKind) -> None:
    connection.executemany(RECORD, [(envelope_id, to_ms(at), kind) for envelope_id in ids])


def read_events(connection: sqlite3.Connection, envelope_id: int) -> tuple[EnvelopeEvent, ...]:
    """Return what people did to the envelope, in order."""
    rows = connection.execute(EVENTS, (envelope_id,)).fetchall()
    return tuple(EnvelopeEvent(from_ms(at), EnvelopeEventKind(kind)) for at, kind in rows)
