-- The journal, version 3: what senders were told, and heartbeats.

-- What was answered under an idempotency key, for a day. `key` and `digest` are SHA-256 (app/domain/receipt.py);
-- `answer` is JSON (app/storage/receipts.py).
CREATE TABLE receipts (
    id      INTEGER PRIMARY KEY,
    key     BLOB NOT NULL,
    digest  BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    answer  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX receipts_key ON receipts (key);
CREATE INDEX receipts_made_at ON receipts (made_at);

-- The dead man's switches (app/domain/heartbeat.py): `body` is JSON with what is expected and what is known
-- (app/storage/heartbeats.py); `output` is what the last ping brought along.
CREATE TABLE heartbeats (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL,
    output BLOB
) STRICT;
CREATE UNIQUE INDEX heartbeats_name ON heartbeats (name);
