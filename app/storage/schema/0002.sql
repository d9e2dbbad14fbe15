-- The journal, version 2: attachments, dead letters that people act on, leases, and alarms.

-- For how long the daemon had been running, in all runs together, when the envelope was made.
ALTER TABLE envelopes ADD COLUMN running_seconds INTEGER NOT NULL DEFAULT 0;
-- 1: the attachments were too large for a relay, and the mail goes without them, as a new message.
ALTER TABLE envelopes ADD COLUMN without_attachments INTEGER NOT NULL DEFAULT 0;

-- What waits longest within a severity: in running time, which no clock can change, and then as it was made.
DROP INDEX envelopes_waiting;
CREATE INDEX envelopes_waiting ON envelopes (rank, running_seconds, made_at) WHERE state = 0;
-- The dead letters in the order of their envelopes: those that a person dropped are none any more.
CREATE INDEX envelopes_dead ON envelopes (id) WHERE state IN (2, 3);

-- The contents of attachments in pieces, so that no statement and no page list holds 10 MiB; the alert's payload
-- names them. `number` counts the attachments of the alert, `piece` the pieces of the attachment, both from 0.
CREATE TABLE attachments (
    alert_id INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    piece    INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX attachments_order ON attachments (alert_id, number, piece);

-- What people did to a mail (app/domain/dead_letter.py, EnvelopeEvent).
CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    envelope_id INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL
) STRICT;
CREATE INDEX events_envelope ON events (envelope_id);

-- When an alarm was last raised for a cause, so that a restart does not raise it again within the hour.
CREATE TABLE alarms (
    cause     TEXT PRIMARY KEY,
    raised_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `leased`: the envelopes that may be under way, as a JSON array; what it holds after a crash may be sent twice.
-- `running_seconds`: for how long the daemon has been running, in all runs together.
-- `kept_at`: the time of day when that was written down last, 0 before the first time.
INSERT INTO meta (name, value) VALUES ('leased', '[]'), ('running_seconds', 0), ('kept_at', 0);
