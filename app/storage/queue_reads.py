"""The sender's reads: which envelopes are due, and all that is needed to send them.

Each read returns one row of JSON: a row at a time would ask a busy event loop for the GIL at every row.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import structlog

from app.domain.alert import BY_RANK, AcceptedAlert, Severity
from app.domain.dead_letter import EnvelopeEventKind
from app.domain.envelope import Delivery, DeliveryState, Envelope, EnvelopeState, Letterhead, QueuedMail
from app.domain.ids import format_id
from app.domain.ports import DueQuery
from app.storage.acknowledgements import IS_UNACKNOWLEDGED
from app.storage.codec import decode_alert, decode_letterhead, encode_json, from_ms, to_ms

log = structlog.get_logger()

CACHED_LETTERHEADS = 256  # a few KiB each, for the templates stand in them

DUE_OF_RANK = """
SELECT coalesce(json_group_array(json_array(id, size)), '[]') FROM (
    SELECT e.id, length(CAST(a.payload AS BLOB)) AS size
    FROM envelopes AS e INDEXED BY envelopes_open CROSS JOIN alerts AS a ON a.id = e.alert_id
    WHERE e.state = 0 AND e.rank = :rank AND e.due_at <= :until AND e.ambiguous <= :ambiguous
        AND e.id NOT IN (SELECT value FROM json_each(:held))
    ORDER BY e.due_at, e.id LIMIT :count)
"""
MAILS = """
SELECT coalesce(json_group_array(json_array(
    e.id, e.alert_id, e.letterhead_id, e.made_at, e.rank, e.due_at, a.received_at, json(a.payload),
    e.usable_seconds, e.running_seconds, e.without_attachments, e.state)), '[]')
FROM json_each(:ids) AS wanted JOIN envelopes AS e ON e.id = wanted.value JOIN alerts AS a ON a.id = e.alert_id
"""
ATTEMPTED = "position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous, remote"
DELIVERIES = f"""
SELECT coalesce(json_group_array(json_array(envelope_id, {ATTEMPTED})), '[]')
FROM deliveries WHERE envelope_id IN (SELECT value FROM json_each(:ids))
"""
_OVERDUE = """
SELECT coalesce(json_group_array(id), '[]') FROM (
    SELECT id FROM envelopes INDEXED BY envelopes_waiting
    WHERE state = 0 AND rank IN (0, 1, 2, 3) AND running_seconds <= :made_before AND id > :after
        AND id NOT IN (SELECT value FROM json_each(:quarantined)) AND {condition}
    ORDER BY id LIMIT :limit)
"""
OVERDUE = _OVERDUE.format(condition="true")
OVERDUE_UNACKNOWLEDGED = _OVERDUE.format(condition=IS_UNACKNOWLEDGED)
# A dead letter that is sent again waits since then.
WAITING_SINCE = f"""
SELECT coalesce(
    (SELECT max(at) FROM events WHERE envelope_id = e.id AND kind = '{EnvelopeEventKind.RETRIED}'), e.made_at)
FROM envelopes AS e INDEXED BY envelopes_waiting WHERE e.state = 0 AND e.rank = ?
ORDER BY e.running_seconds, e.made_at LIMIT 1
"""
# Those that somebody sees to are few, and passed over one by one.
LOWEST_RUNNING_SECONDS = f"""
SELECT running_seconds FROM envelopes INDEXED BY envelopes_waiting
WHERE state = 0 AND rank = :rank AND {IS_UNACKNOWLEDGED} ORDER BY running_seconds LIMIT 1
"""


class LetterheadCache:
    """Letterheads by number, those that were used last. They never change.

    There is one for each receiver and change of the settings, and one for each list of people that alerts name.
    """

    def __init__(self, size: int = CACHED_LETTERHEADS) -> None:
        self._size = size
        self._known: OrderedDict[int, Letterhead] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, connection: sqlite3.Connection, number: int) -> Letterhead:
        """Return the letterhead stored under `number`."""
        if number in self._known:
            self._known.move_to_end(number)
            return self._known[number]
        row = connection.execute("SELECT body FROM letterheads WHERE id = ?", (number,)).fetchone()
        self._known[number] = decode_letterhead(row[0])
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return self._known[number]


@dataclass(frozen=True, slots=True)
class OverdueQuery:
    """Which open envelopes: with an id over `after`, made at or before these running seconds, `limit` at most.

    With `unacknowledged_at` those of alerts that somebody sees to at that time are left out.
    """

    made_before: int
    after: int
    limit: int
    unacknowledged_at: datetime | None = None


class QueueReads:
    """What the reader's thread knows between two reads for the sender.

    A row that cannot be read is quarantined until the next start: it stays in the journal, open and counted,
    and the others are sent.
    """

    def __init__(self, letterheads: LetterheadCache) -> None:
        self._letterheads = letterheads
        self._quarantined: set[int] = set()

    @property
    def quarantined(self) -> int:
        """How many rows could not be read."""
        return len(self._quarantined)

    def due(self, connection: sqlite3.Connection, query: DueQuery) -> list[QueuedMail]:
        """Return the mails that `query` asks for."""
        return self._readable(connection, _due_ids(connection, replace(query, held={*query.held, *self._quarantined})))

    def overdue(self, connection: sqlite3.Connection, query: OverdueQuery) -> list[QueuedMail]:
        """Return the open envelopes that `query` asks for, in the order of their ids."""
        parameters = {
            "made_before": query.made_before,
            "after": query.after,
            "limit": query.limit,
            "quarantined": encode_json(list(self._quarantined)),
        }
        if query.unacknowledged_at is None:
            return self._readable(connection, _json(connection, OVERDUE, parameters))
        parameters["now"] = to_ms(query.unacknowledged_at)
        return self._readable(connection, _json(connection, OVERDUE_UNACKNOWLEDGED, parameters))

    def _readable(self, connection: sqlite3.Connection, ids: list[int]) -> list[QueuedMail]:
        try:
            return read_mails(connection, ids, self._letterheads) if ids else []
        except Exception as error:
            if not _is_unreadable(error):
                raise
            return [mail for envelope_id in ids for mail in self._one(connection, envelope_id)]

    def _one(self, connection: sqlite3.Connection, envelope_id: int) -> list[QueuedMail]:
        try:
            return read_mails(connection, [envelope_id], self._letterheads)
        except Exception as error:
            if not _is_unreadable(error):
                raise
            self._quarantined.add(envelope_id)
            log.exception("mail_quarantined", envelope=format_id(envelope_id))
            return []


def _is_unreadable(error: Exception) -> bool:
    """Tell a row that holds no alert from a fault of the disk, which any row would meet."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR  # SQLite's JSON functions: malformed JSON
    return isinstance(error, ValueError | KeyError | TypeError | OverflowError)


def _due_ids(connection: sqlite3.Connection, query: DueQuery) -> list[int]:
    """Return ids in sending order, no more than the query's count, and its bytes unless one mail alone has more."""
    ids: list[int] = []
    total = 0
    held = encode_json(list(query.held))
    for rank in reversed(range(len(BY_RANK))):
        if len(ids) == query.count:
            break
        parameters = {
            "rank": rank,
            "until": to_ms(query.until),
            "ambiguous": int(query.with_ambiguous),
            "held": held,
            "count": query.count - len(ids),
        }
        for envelope_id, size in _json(connection, DUE_OF_RANK, parameters):
            total += size
            if ids and total > query.max_bytes:
                return ids
            ids.append(envelope_id)
    return ids


def read_mails(connection: sqlite3.Connection, ids: Sequence[int], letterheads: LetterheadCache) -> list[QueuedMail]:
    """Return these mails in the order given, whatever their state; those that are not known are missing."""
    parameters = {"ids": encode_json(ids)}
    attempts: dict[int, dict[int, Delivery]] = {}
    for envelope_id, *row in _json(connection, DELIVERIES, parameters):
        delivery = decode_delivery(row)
        attempts.setdefault(envelope_id, {})[delivery.position] = delivery
    mails = {
        row[0]: _mail(row, letterheads.get(connection, row[2]), attempts.get(row[0], {}))
        for row in _json(connection, MAILS, parameters)
    }
    return [mails[envelope_id] for envelope_id in ids if envelope_id in mails]


def _mail(row: Sequence[Any], letterhead: Letterhead, attempted: dict[int, Delivery]) -> QueuedMail:
    envelope_id, alert_id, letterhead_id, made_at, rank, due_at, received_at, payload, *rest = row
    usable_seconds, running_seconds, without_attachments, state = rest
    return QueuedMail(
        envelope=Envelope(
            id=envelope_id,
            alert_id=alert_id,
            letterhead_id=letterhead_id,
            made_at=from_ms(made_at),
            severity=Severity.of_rank(rank),
            due_at=from_ms(due_at),
            usable_seconds=usable_seconds,
            running_seconds=running_seconds,
            without_attachments=bool(without_attachments),
            state=EnvelopeState(state),
        ),
        accepted=AcceptedAlert(id=alert_id, received_at=from_ms(received_at), alert=decode_alert(payload)),
        letterhead=letterhead,
        deliveries=all_deliveries(letterhead, attempted),
    )


def all_deliveries(letterhead: Letterhead, attempted: dict[int, Delivery]) -> tuple[Delivery, ...]:
    """Return a delivery for every recipient, also for those that no attempt was made for."""
    return tuple(attempted.get(n) or Delivery(position=n) for n in range(len(letterhead.recipients)))


def decode_delivery(row: Sequence[Any]) -> Delivery:
    """Return the delivery that the columns after envelope_id hold."""
    position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous, remote = row
    return Delivery(
        position=position,
        state=DeliveryState(state),
        attempts=attempts,
        last_attempt_at=from_ms(last_attempt_at),
        relay=relay,
        reply=reply,
        reason=reason,
        ambiguous=bool(ambiguous),
        remote=remote,
    )


def read_attempted(connection: sqlite3.Connection, envelope_id: int) -> dict[int, Delivery]:
    """Return the deliveries of one envelope by position, those that an attempt was made for."""
    query = f"SELECT {ATTEMPTED} FROM deliveries WHERE envelope_id = ?"
    rows = connection.execute(query, (envelope_id,)).fetchall()
    return {row[0]: decode_delivery(row) for row in rows}


def read_oldest_open(connection: sqlite3.Connection) -> datetime | None:
    """Return since when the open envelope that waits longest has been waiting."""
    rows = [connection.execute(WAITING_SINCE, (rank,)).fetchone() for rank in range(len(BY_RANK))]
    since = min((row[0] for row in rows if row), default=None)
    return None if since is None else from_ms(since)


def read_oldest_waiting(connection: sqlite3.Connection, at_least: Severity, unacknowledged_at: datetime) -> int | None:
    """Return the lowest running seconds among the open envelopes of this severity or above.

    Without those of alerts that somebody sees to at the time given.
    """
    times = [{"rank": rank, "now": to_ms(unacknowledged_at)} for rank in range(at_least.rank, len(BY_RANK))]
    rows = [connection.execute(LOWEST_RUNNING_SECONDS, parameters).fetchone() for parameters in times]
    return min((row[0] for row in rows if row is not None), default=None)


def _json(connection: sqlite3.Connection, query: str, parameters: dict[str, Any]) -> list[Any]:
    rows: list[Any] = orjson.loads(connection.execute(query, parameters).fetchone()[0])
    return rows
