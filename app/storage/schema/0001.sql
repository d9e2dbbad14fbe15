-- The journal, version 1. Times are Unix milliseconds in UTC; ids sort by time (app/domain/ids.py).

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- What the settings put into mails, frozen (app/domain/envelope.py, Letterhead). Each body stands here once.
CREATE TABLE letterheads (
    id   INTEGER PRIMARY KEY,
    body TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE alerts (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    payload     TEXT NOT NULL  -- JSON, see app/storage/codec.py
) STRICT;

CREATE TABLE envelopes (
    id            INTEGER PRIMARY KEY,
    alert_id      INTEGER NOT NULL,
    letterhead_id INTEGER NOT NULL,
    made_at       INTEGER NOT NULL,
    rank          INTEGER NOT NULL,            -- of the severity: 3 is critical
    usable_seconds INTEGER NOT NULL,           -- for how long a relay had been usable when it was made
    due_at        INTEGER NOT NULL,
    state         INTEGER NOT NULL DEFAULT 0,  -- app/domain/envelope.py, EnvelopeState
    ambiguous     INTEGER NOT NULL DEFAULT 0,  -- 1: an attempt was lost after its final dot
    finished_at   INTEGER
) STRICT;

-- The sender's work: one range per severity, oldest first. Sent mails are not in it.
CREATE INDEX envelopes_open ON envelopes (rank, due_at, id) WHERE state = 0;
-- The age of the oldest unsent mail.
CREATE INDEX envelopes_waiting ON envelopes (made_at) WHERE state = 0;
-- An alert's mails, and the list of alerts with its filters, without touching a payload.
CREATE INDEX envelopes_alert ON envelopes (alert_id, state, rank);
-- What went wrong, however rare it is among millions.
CREATE INDEX envelopes_failed ON envelopes (state, alert_id) WHERE state >= 2;

-- One row per recipient that an attempt was made for; the letterhead names the address.
CREATE TABLE deliveries (
    envelope_id     INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    state           TEXT NOT NULL,
    attempts        INTEGER NOT NULL,
    last_attempt_at INTEGER NOT NULL,
    relay           TEXT NOT NULL,
    reply           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    ambiguous       INTEGER NOT NULL,
    PRIMARY KEY (envelope_id, position)
) STRICT, WITHOUT ROWID;

-- Each start of the daemon. `ended_at` is null after an unclean end.
CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    noticed    INTEGER NOT NULL DEFAULT 0      -- 1: this start was announced by mail
) STRICT;
