"""Makes a journal whole whose rows were saved one by one: no row refers to one that is lost."""

import sqlite3

from app.domain.envelope import DeliveryState, EnvelopeState, Letterhead
from app.storage.codec import encode_letterhead

LOST = "the journal was damaged, and what became of this recipient is lost; the mail may have been sent already"
OPEN = int(EnvelopeState.OPEN)

# What the index of envelopes by alert holds, filled where rows of theirs are lost.
INDEXED = """
CREATE TEMP TABLE indexed (
    alert_id INTEGER, state INTEGER, rank INTEGER, id INTEGER, PRIMARY KEY (alert_id, id)
) WITHOUT ROWID
"""
# An envelope whose row is lost is made anew, under its own id and so with its own Message-ID. Its letterhead and its
# times are lost too: it leaves under today's, it is due at once, and its lifetime begins again.
DROP_KNOWN = "DELETE FROM indexed WHERE id IN (SELECT id FROM envelopes)"
ADD_ENVELOPES = """
INSERT OR IGNORE INTO envelopes
    (id, alert_id, letterhead_id, made_at, rank, usable_seconds, running_seconds, due_at, state)
SELECT id, alert_id, 0, 0, rank,
    (SELECT value FROM meta WHERE name = 'usable_seconds'), (SELECT value FROM meta WHERE name = 'running_seconds'),
    0, state
FROM indexed
"""
DATE_ENVELOPES = f"""
UPDATE envelopes SET made_at = received_at, due_at = received_at, finished_at = iif(state = {OPEN}, NULL, received_at)
FROM alerts WHERE alerts.id = alert_id AND envelopes.id IN (SELECT id FROM indexed)
"""

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

# Every recipient of a finished mail has a row; of one that waits only those that were tried have.
ADD_DELIVERIES = f"""
INSERT INTO deliveries (envelope_id, position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous)
SELECT e.id, recipient.key, '{DeliveryState.EXPIRED}', 0, e.finished_at, '', '', :lost, 1
FROM envelopes AS e
JOIN letterheads AS l ON l.id = e.letterhead_id
JOIN json_each(l.body, '$.recipients') AS recipient
WHERE e.state <> {OPEN}
    AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.envelope_id = e.id AND d.position = recipient.key)
"""

# What waits and may have been sent already is leased, so that the next opening flags and counts it, as after a crash
# (app/storage/leases.py): all that was made anew; where rows of recipients are lost, all that lacks some; where the
# leases themselves are lost, everything.
LEASE = f"""
UPDATE meta SET value = (
    SELECT json_group_array(id) FROM (
        SELECT value AS id FROM json_each(iif(json_valid(meta.value), meta.value, '[]'))
        UNION
        SELECT e.id FROM envelopes AS e JOIN letterheads AS l ON l.id = e.letterhead_id
        WHERE e.state = {OPEN} AND (:leases_are_lost OR e.id IN (SELECT id FROM indexed) OR (:deliveries_are_lost
            AND json_array_length(l.body, '$.recipients')
                > (SELECT count(*) FROM deliveries WHERE envelope_id = e.id)))))
WHERE name = 'leased'
"""

# Half a file is worse than none. The payload says how long each is (app/storage/codec.py, "a").
BROKEN_FILES = """
SELECT a.id, file.key FROM alerts AS a JOIN json_each(iif(json_valid(a.payload), a.payload, '{}'), '$.a') AS file
WHERE json_extract(file.value, '$[2]')
    <> (SELECT coalesce(sum(length(data)), 0) FROM attachments WHERE alert_id = a.id AND number = file.key)
"""
DROP_PIECES = f"DELETE FROM attachments WHERE (alert_id, number) IN ({BROKEN_FILES})"
COUNT_BROKEN_FILES = f"SELECT count(*) FROM ({BROKEN_FILES})"

COUNT_OPEN = f"UPDATE meta SET value = (SELECT count(*) FROM envelopes WHERE state = {OPEN}) WHERE name = 'open'"

STEPS = (
    DROP_ENVELOPES,
    DATE_ENVELOPES,
    DROP_DELIVERIES,
    DROP_EVENTS,
    DROP_LETTERHEADS,
    ADD_LETTERHEAD,
    USE_LETTERHEAD,
    ADD_DELIVERIES,
    LEASE,
    DROP_PIECES,
    COUNT_OPEN,
)


def make_anew(connection: sqlite3.Connection) -> None:
    """Make the envelopes of which only the index knows; `mend` gives them what comes from elsewhere."""
    connection.execute(DROP_KNOWN)
    connection.execute(ADD_ENVELOPES)


def mend(
    connection: sqlite3.Connection, *, letterhead: Letterhead, deliveries_are_lost: bool, leases_are_lost: bool
) -> int:
    """Take out what belongs to nothing, and put `letterhead` in for lost ones.

    What may have been sent already is left to the next opening to flag. Returns how many attachments are lost.
    """
    parameters = {
        "letterhead": encode_letterhead(letterhead),
        "lost": LOST,
        "deliveries_are_lost": deliveries_are_lost,
        "leases_are_lost": leases_are_lost,
    }
    connection.execute("BEGIN IMMEDIATE")
    for step in STEPS:
        connection.execute(step, parameters)
    connection.execute("COMMIT")
    lost_files: int = connection.execute(COUNT_BROKEN_FILES).fetchone()[0]
    return lost_files
