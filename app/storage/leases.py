"""The record of mails that may be under way: what it holds after a crash or a rescue may have been sent already."""

import sqlite3

from app.domain.envelope import DeliveryState

REASON = "the daemon ended, or its journal was damaged, while this mail was under way; it may have been sent already"

# A letterhead that cannot be read has no recipients here: its mails are quarantined when they are due.
FLAG_DELIVERIES = f"""
INSERT INTO deliveries (envelope_id, position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous)
SELECT e.id, recipient.key, '{DeliveryState.PENDING}', 0, e.due_at, '', '', :reason, 1
FROM envelopes AS e
JOIN letterheads AS l ON l.id = e.letterhead_id
JOIN json_each(iif(json_valid(l.body), l.body, '{{}}'), '$.recipients') AS recipient
WHERE e.state = 0 AND e.id IN (SELECT value FROM json_each(:leased))
ON CONFLICT (envelope_id, position)
DO UPDATE SET ambiguous = 1, reason = excluded.reason WHERE state = '{DeliveryState.PENDING}'
"""
FLAG_ENVELOPES = "UPDATE envelopes SET ambiguous = 1 WHERE state = 0 AND id IN (SELECT value FROM json_each(:leased))"
CLEAR = "UPDATE meta SET value = '[]' WHERE name = 'leased'"


def flag_interrupted(connection: sqlite3.Connection) -> int:
    """Flag the open envelopes that the last run or a rescue left under way, in a transaction; return how many.

    They stay due: the recipients get the mail, some of them perhaps twice under the same Message-ID.
    After a clean end nothing is written.
    """
    leased = connection.execute("SELECT value FROM meta WHERE name = 'leased'").fetchone()[0]
    if leased == "[]":
        return 0
    with connection:  # commits, or rolls back
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(FLAG_DELIVERIES, {"leased": leased, "reason": REASON})
        flagged = connection.execute(FLAG_ENVELOPES, {"leased": leased}).rowcount
        clear_leases(connection)
    return flagged


def clear_leases(connection: sqlite3.Connection) -> None:
    """Note that nothing is under way."""
    connection.execute(CLEAR)
