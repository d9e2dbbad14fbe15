"""The record of the mails of a mailbox: short reads and writes, of which long lists take many."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from app.domain.mail_read import AfterReading, MailboxName, MailRead, RemovableMail, UnreadMail
from app.storage.codec import encode_json, to_ms
from app.storage.rows import MAX_ROWS, write_rows

ReadRow = dict[str, Any]  # the values of one MailRead, by the names below

STEP = MAX_ROWS  # mails looked at or written at once: a millisecond or two
MAX_TO_REMOVE = 1000  # what one poll has the server delete
MAX_FORGOTTEN = 1000  # in one transaction: a millisecond or two
LIST_STEP = 10_000  # uids in one read of the whole list: about 3 ms

THIS = "SELECT id FROM mailboxes WHERE name = :name AND epoch = :epoch AND known = 1"
IS_KNOWN = f"SELECT EXISTS ({THIS})"
WAS_POLLED = "SELECT EXISTS (SELECT 1 FROM mailboxes WHERE name = ? AND known = 1)"

UNREAD = f"""
SELECT coalesce(json_group_array(json_array(uid, attempts)), '[]') FROM (
    SELECT wanted.value AS uid, coalesce(m.attempts, 0) AS attempts
    FROM json_each(:uids) AS wanted
    LEFT JOIN mailbox_mails AS m ON m.mailbox_id = ({THIS}) AND m.uid = wanted.value
    WHERE m.what IS NULL OR m.what = '' ORDER BY wanted.key)
"""
RECORDED = f"""
SELECT coalesce(json_group_array(uid), '[]') FROM (
    SELECT uid FROM mailbox_mails WHERE mailbox_id = ({THIS}) AND uid > :after AND what <> '' ORDER BY uid LIMIT :limit)
"""
TO_REMOVE = f"""
SELECT uid, fate FROM mailbox_mails INDEXED BY mailbox_mails_to_remove
WHERE mailbox_id = ({THIS}) AND fate <> 'keep' AND gone_at IS NULL ORDER BY uid LIMIT {MAX_TO_REMOVE}
"""

# A mail of an epoch that is not known is not recorded: that epoch begins with a first poll, and this one is over.
BEGIN_READING = f"""
INSERT INTO mailbox_mails (mailbox_id, uid, at, what, note, fate, attempts)
SELECT this.id, wanted.value, 0, '', '', 'keep', 1 FROM ({THIS}) AS this JOIN json_each(:uids) AS wanted WHERE true
ON CONFLICT (mailbox_id, uid) DO UPDATE SET attempts = attempts + 1
"""
NOTE_READ = f"""
INSERT INTO mailbox_mails (mailbox_id, uid, at, what, note, fate, attempts)
SELECT id, :uid, :at, :what, :note, :fate, 0 FROM ({THIS}) WHERE true
ON CONFLICT (mailbox_id, uid)
DO UPDATE SET at = excluded.at, what = excluded.what, note = excluded.note, fate = excluded.fate
"""
END_ATTEMPT = f"""
UPDATE mailbox_mails SET attempts = attempts - 1
WHERE mailbox_id = ({THIS}) AND uid IN (SELECT value FROM json_each(:uids)) AND attempts > 0
"""
NOTE_GONE = f"""
UPDATE mailbox_mails SET gone_at = :at
WHERE mailbox_id = ({THIS}) AND uid IN (SELECT value FROM json_each(:uids)) AND gone_at IS NULL
"""
NOTE_BACK = f"""
UPDATE mailbox_mails SET gone_at = NULL
WHERE mailbox_id = ({THIS}) AND uid IN (SELECT value FROM json_each(:uids)) AND gone_at IS NOT NULL
"""
FORGET_GONE = f"""
DELETE FROM mailbox_mails WHERE mailbox_id = ({THIS}) AND uid IN (
    SELECT uid FROM mailbox_mails INDEXED BY mailbox_mails_gone
    WHERE mailbox_id = ({THIS}) AND gone_at IS NOT NULL AND gone_at < :before ORDER BY gone_at LIMIT {MAX_FORGOTTEN})
"""

ADD_MAILBOX = "INSERT INTO mailboxes (name, epoch, known) VALUES (:name, :epoch, 0) RETURNING id"
ADD_SEEN = "INSERT OR REPLACE INTO mailbox_mails (mailbox_id, uid, at, what, note, fate, attempts)"
FORGET_KNOWN = "UPDATE mailboxes SET known = 0 WHERE name = ? AND known = 1"
MAKE_KNOWN = "UPDATE mailboxes SET known = 1 WHERE id = ?"
FORGOTTEN = "SELECT id FROM mailboxes WHERE name = ? AND known = 0 LIMIT 1"
DROP_MAILS = f"""
DELETE FROM mailbox_mails WHERE mailbox_id = :id
    AND uid IN (SELECT uid FROM mailbox_mails WHERE mailbox_id = :id LIMIT {STEP})
"""
DROP_MAILBOX = "DELETE FROM mailboxes WHERE id = ?"


def is_known(connection: sqlite3.Connection, mailbox: MailboxName) -> bool:
    """Tell whether the mailbox was polled before in this epoch."""
    return bool(connection.execute(IS_KNOWN, _named(mailbox)).fetchone()[0])


def was_polled(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether it was in whatever epoch."""
    return bool(connection.execute(WAS_POLLED, (name,)).fetchone()[0])


def read_unread(connection: sqlite3.Connection, mailbox: MailboxName, uids: Sequence[str]) -> list[UnreadMail]:
    """Return which of these, STEP at most, have not been read yet, in the order given."""
    return [UnreadMail(*row) for row in _json(connection, UNREAD, _listed(mailbox, uids))]


def read_recorded(connection: sqlite3.Connection, mailbox: MailboxName, after: str) -> list[str]:
    """Return the next LIST_STEP of the uids that were read and sort behind `after`, in their order."""
    return _json(connection, RECORDED, _named(mailbox) | {"after": after, "limit": LIST_STEP})


def read_to_remove(connection: sqlite3.Connection, mailbox: MailboxName) -> list[RemovableMail]:
    """Return what the server is to be rid of, MAX_TO_REMOVE at most."""
    return [
        RemovableMail(uid, AfterReading(fate))
        for uid, fate in connection.execute(TO_REMOVE, _named(mailbox)).fetchall()
    ]


def begin_reading(connection: sqlite3.Connection, mailbox: MailboxName, uids: Sequence[str]) -> None:
    """Count an attempt for each."""
    connection.execute(BEGIN_READING, _listed(mailbox, uids))


def read_row(read: MailRead) -> ReadRow:
    """Return what stands in the journal of a mail that was read."""
    values = {"uid": read.uid, "at": to_ms(read.at), "what": read.what, "note": read.note, "fate": read.then}
    return _named(read.mailbox) | values


def note_reads(connection: sqlite3.Connection, rows: Sequence[ReadRow]) -> None:
    """Record that these were read; how often that was tried stays."""
    connection.executemany(NOTE_READ, rows)


def end_attempt(connection: sqlite3.Connection, mailbox: MailboxName, uids: Sequence[str]) -> None:
    """Take one attempt at each back."""
    connection.execute(END_ATTEMPT, _listed(mailbox, uids))


def note_gone(connection: sqlite3.Connection, mailbox: MailboxName, uids: Sequence[str], at: datetime) -> None:
    """Note since when the server has not listed these, where that is not noted yet."""
    connection.execute(NOTE_GONE, _listed(mailbox, uids) | {"at": to_ms(at)})


def note_back(connection: sqlite3.Connection, mailbox: MailboxName, uids: Sequence[str]) -> None:
    """Note that the server lists these."""
    connection.execute(NOTE_BACK, _listed(mailbox, uids))


def forget_gone(connection: sqlite3.Connection, mailbox: MailboxName, before: datetime) -> None:
    """Forget up to MAX_FORGOTTEN of those that were gone before that time, the oldest first."""
    connection.execute(FORGET_GONE, _named(mailbox) | {"before": to_ms(before)})


def add_mailbox(connection: sqlite3.Connection, mailbox: MailboxName) -> int:
    """Return the number of an epoch that is about to be known: nobody finds it before `make_known`."""
    return int(connection.execute(ADD_MAILBOX, _named(mailbox)).fetchone()[0])


def add_seen(connection: sqlite3.Connection, mailbox_id: int, seen: Sequence[MailRead]) -> None:
    """Note up to STEP mails that were there at the first poll."""
    rows = [(mailbox_id, r.uid, to_ms(r.at), r.what, r.note, r.then, 0) for r in seen]
    write_rows(connection, ADD_SEEN, rows)


def make_known(connection: sqlite3.Connection, name: str, mailbox_id: int) -> None:
    """Let this epoch be the known one of its name, and no other."""
    connection.execute(FORGET_KNOWN, (name,))
    connection.execute(MAKE_KNOWN, (mailbox_id,))


def drop_forgotten(connection: sqlite3.Connection, name: str) -> bool:
    """Remove up to STEP mails of epochs that are not known; return whether there may be more to do."""
    row = connection.execute(FORGOTTEN, (name,)).fetchone()
    if row is None:
        return False
    if connection.execute(DROP_MAILS, {"id": row[0]}).rowcount < STEP:
        connection.execute(DROP_MAILBOX, row)
    return True


def _named(mailbox: MailboxName) -> dict[str, Any]:
    return {"name": mailbox.name, "epoch": mailbox.epoch}


def _listed(mailbox: MailboxName, uids: Sequence[str]) -> dict[str, Any]:
    return _named(mailbox) | {"uids": encode_json(list(uids))}


def _json(connection: sqlite3.Connection, query: str, parameters: dict[str, Any]) -> list[Any]:
    rows: list[Any] = orjson.loads(connection.execute(query, parameters).fetchone()[0])
    return rows
