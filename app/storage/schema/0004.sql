-- The journal, version 4: what the mailbox tells. Which of its mails were read, bounces, and acknowledgements.

-- The server behind the relay whose words `reply` and `reason` are, '' where they are the relay's.
ALTER TABLE deliveries ADD COLUMN remote TEXT NOT NULL DEFAULT '';
-- 1: a recipient's mail came back. The sender, which may still hold the mail for others, knows nothing of that.
ALTER TABLE envelopes ADD COLUMN bounced INTEGER NOT NULL DEFAULT 0;

-- Who acknowledged what (app/domain/acknowledgement.py, AckEvent), with all that went before. `stands`: 1 in the one
-- that holds for its alert, for as long as its time is not over; `until` is null where it has no end.
CREATE TABLE acknowledgements (
    id       INTEGER PRIMARY KEY,
    alert_id INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    action   TEXT NOT NULL,
    who      TEXT NOT NULL,
    how      TEXT NOT NULL,
    until    INTEGER,
    source   TEXT NOT NULL,     -- the Message-ID of the mail that said it, '' for none
    stands   INTEGER NOT NULL
) STRICT;
CREATE INDEX acknowledgements_alert ON acknowledgements (alert_id);
CREATE INDEX acknowledgements_standing ON acknowledgements (alert_id, until) WHERE stands = 1;

-- Mailboxes by name and epoch. `known`: 1 once the first poll in this epoch is on record with all that was there.
CREATE TABLE mailboxes (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,
    epoch TEXT NOT NULL,
    known INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mailboxes_known ON mailboxes (name) WHERE known = 1;

-- The mails of a mailbox that were read, or begun to be (app/domain/mail_read.py, MailRead). `what` is '' and `at` 0
-- where only attempts have begun. `fate` is what becomes of the mail on the server: keep, delete or move. `gone_at` is
-- since when the server has not listed it, null while it does.
CREATE TABLE mailbox_mails (
    mailbox_id INTEGER NOT NULL,
    uid        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    what       TEXT NOT NULL,
    note       TEXT NOT NULL,
    fate       TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    gone_at    INTEGER,
    PRIMARY KEY (mailbox_id, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_mails_to_remove ON mailbox_mails (mailbox_id, uid) WHERE fate <> 'keep' AND gone_at IS NULL;
CREATE INDEX mailbox_mails_gone ON mailbox_mails (mailbox_id, gone_at) WHERE gone_at IS NOT NULL;

-- Recipients whose address is of no use, folded. `counted` is a JSON array of the envelopes whose bounces count;
-- `set_aside_at` is null while the address has mail.
CREATE TABLE bounced_addresses (
    address      TEXT PRIMARY KEY,
    counted      TEXT NOT NULL,
    last_at      INTEGER NOT NULL,
    reply        TEXT NOT NULL,
    set_aside_at INTEGER
) STRICT, WITHOUT ROWID;
