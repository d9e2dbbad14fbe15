"""Makes a journal whole whose rows were saved one by one: no row refers to one that is lost."""

import sqlite3

from app.domain.envelope import DeliveryState, EnvelopeState, Letterhead
from app.storage.codec import encode_letterhead

LOST = "the journal was damaged, and what became of this recipient is lost; the mail may have been sent already"
OPEN = int(EnvelopeState.OPEN)

DROP_ENVELOPES = "DELETE FROM envelopes WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE id = alert_id)"
DROP_DELIVERIES = "DELETE FROM deliveries WHERE NOT EXISTS (SELECT 1 FROM envelopes WHERE id = envelope_id)"
DROP_EVENTS = "DELETE FROM events WHERE NOT EXISTS (SELECT 1 FROM envelopes WHERE id = envelope_id)"

# An alert must not be lost with the letterhead that thousands share: it leaves under today's.
DROP_LETTERHEADS = "DELETE FROM letterheads WHERE NOT json_valid(body)"
ADD_LETTERHEAD = "INSERT OR IGNORE INTO letterheads (body) VALUES (:letterhead)"
USE_LETTERHEAD = """
UPDATE envelopes SET letterhead_id = (SELECT id FROM letterheads WHERE body = :letterhead)
WHERE letterhead_id NOT IN (SELECT id FROM letterheads)
"""

# Every recipient of a finished mail has a row. Of one that waits only those that were tried have; where rows are
# lost, any of the others may have been tried too.
ADD_DELIVERIES = f"""
INSERT INTO deliveries (envelope_id, position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous)
SELECT e.id, recipient.key, iif(e.state = {OPEN}, '{DeliveryState.PENDING}', '{DeliveryState.EXPIRED}'),
    0, coalesce(e.finished_at, e.due_at), '', '', :lost, 1
FROM envelopes AS e
JOIN letterheads AS l ON l.id = e.letterhead_id
JOIN json_each(l.body, '$.recipients') AS recipient
WHERE (e.state <> {OPEN} OR :deliveries_are_lost)
    AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.envelope_id = e.id AND d.position = recipient.key)
"""
FLAG_ENVELOPES = f"""
UPDATE envelopes SET ambiguous = 1 WHERE state = {OPEN} AND :deliveries_are_lost
    AND id IN (SELECT envelope_id FROM deliveries WHERE ambiguous AND state = '{DeliveryState.PENDING}')
"""

# Half a file is worse than none. The payload says how long each is (app/storage/codec.py, "a").
DROP_ATTACHMENTS = """
UPDATE envelopes SET without_attachments = 1 WHERE alert_id IN (
    SELECT a.id FROM alerts AS a JOIN json_each(iif(json_valid(a.payload), a.payload, '{}'), '$.a') AS file
    GROUP BY a.id HAVING sum(json_extract(file.value, '$[2]'))
        <> (SELECT coalesce(sum(length(data)), 0) FROM attachments WHERE alert_id = a.id))
"""

COUNT_OPEN = f"UPDATE meta SET value = (SELECT count(*) FROM envelopes WHERE state = {OPEN}) WHERE name = 'open'"
DROP_LEASES = "UPDATE meta SET value = '[]' WHERE name = 'leased' AND NOT json_valid(value)"

STEPS = (
    DROP_ENVELOPES,
    DROP_DELIVERIES,
    DROP_EVENTS,
    DROP_LETTERHEADS,
    ADD_LETTERHEAD,
    USE_LETTERHEAD,
    ADD_DELIVERIES,
    FLAG_ENVELOPES,
    DROP_ATTACHMENTS,
    COUNT_OPEN,
    DROP_LEASES,
)


def mend(connection: sqlite3.Connection, *, letterhead: Letterhead, deliveries_are_lost: bool) -> None:
    """Take out what belongs to nothing, put `letterhead` in for lost ones, and flag what may have been sent."""
    parameters = {
        "letterhead": encode_letterhead(letterhead),
        "lost": LOST,
        "deliveries_are_lost": deliveries_are_lost,
    }
    connection.execute("BEGIN IMMEDIATE")
    for step in STEPS:
        connection.execute(step, parameters)
    connection.execute("COMMIT")
