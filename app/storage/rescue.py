"""Copies what can be read of a damaged journal into a new one, and keeps the old file.

Only what is unfinished is copied: mails that wait and dead letters, with all that belongs to them, and what the
mailbox has told. What was sent stays in the old file alone.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path

import structlog

from app.domain.alert import Severity
from app.domain.envelope import EnvelopeState, Letterhead
from app.storage.btree import Value
from app.storage.database import Mode, check_mode, open_writer, opening
from app.storage.dead_letters import DEAD_STATES
from app.storage.mending import INDEXED, make_anew, mend
from app.storage.pages import PageFile
from app.storage.replacement import JOURNAL_FILE, begin_replacement, replace_journal
from app.storage.reserve import RESERVE_FILE
from app.storage.rows import write_rows
from app.storage.salvage import Salvage, Table, index_of, tables_of

log = structlog.get_logger()

BATCH = 64  # rows in one transaction: a piece of an attachment has 256 KiB
UNFINISHED = f"({EnvelopeState.OPEN:d}, {DEAD_STATES})"
# The tables in the order of copying, each with what a row must be or belong to; `columnN` counts from 1.
WANTED = {
    "letterheads": "true",
    "runs": "true",
    "alarms": "true",
    "receipts": "true",
    "heartbeats": "true",
    "envelopes": f"column8 IN {UNFINISHED}",
    "alerts": "EXISTS (SELECT 1 FROM envelopes WHERE alert_id = column1)",
    "deliveries": "EXISTS (SELECT 1 FROM envelopes WHERE id = column1)",
    "events": "EXISTS (SELECT 1 FROM envelopes WHERE id = column2)",
    "attachments": "EXISTS (SELECT 1 FROM alerts WHERE id = column1)",
    "acknowledgements": "EXISTS (SELECT 1 FROM alerts WHERE id = column2)",
    "mailboxes": "true",
    "mailbox_mails": "EXISTS (SELECT 1 FROM mailboxes WHERE id = column1)",
    "bounced_addresses": "true",
}
# Where rows of envelopes are lost, this index still tells which alerts they were for.
INDEX = "envelopes_alert"
# Records of other indices look the same, but only here the last number is an id that was given after the first.
WANTED_ENTRIES = f"column2 IN {UNFINISHED} AND column3 BETWEEN 0 AND {Severity.CRITICAL.rank} AND column4 > column1"
OWN_FACTS = frozenset({"mode", "open", "probe"})  # what the new journal knows better


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueReport:
    """What became of a damaged journal.

    `copied` are the mails that wait, beside them the `dead_letters`. `lost` are those that waited and could not
    be read, None if not even their number could. `lost_files` are attachments of what was copied.
    """

    copied: int
    dead_letters: int
    lost: int | None
    lost_files: int
    old_file: Path


def rescue_journal(data_dir: Path, mode: Mode, now: datetime, *, letterhead: Letterhead) -> RescueReport:
    """Put a new journal in the place of a damaged one that nobody has open, with all that is unfinished in it.

    `letterhead` stands in for those that cannot be read. Raises JournalUnavailable when the new journal cannot be
    written (JournalFailed if the disk is failing), and ConfigurationError when the old one was made in the other
    mode; the old one is still in its place then.
    """
    with opening(data_dir):
        (data_dir / RESERVE_FILE).unlink(missing_ok=True)  # the new journal may need the room
        directory = begin_replacement(data_dir)
        with PageFile(data_dir / JOURNAL_FILE) as file, closing(open_writer(directory, mode)) as new:
            new.execute("PRAGMA synchronous = OFF")  # nobody counts on the new journal before it is whole
            salvage, tables = Salvage(file), tables_of(new)
            facts = {str(name): value for name, value in salvage.rows(tables["meta"])}
            check_mode(facts.get("mode"), mode, data_dir)
            _copy_facts(new, facts)
            _copy_unfinished(new, salvage, tables)
            lost_files = mend(
                new,
                letterhead=letterhead,
                deliveries_are_lost="deliveries" in salvage.damaged,
                leases_are_lost="leased" not in facts,
            )
            copied, dead_letters = _counts(new)
        old_file = replace_journal(data_dir, now)
    report = RescueReport(
        copied=copied,
        dead_letters=dead_letters,
        lost=_lost(facts.get("open"), copied),
        lost_files=lost_files,
        old_file=old_file,
    )
    _log(report, salvage.damaged, new_message_id_key="mac_key" not in facts)
    return report


def _copy_facts(new: sqlite3.Connection, facts: Mapping[str, Value]) -> None:
    """Copy what the journal knows of itself: the key of the Message-IDs above all."""
    for name, value in new.execute("SELECT name, value FROM meta").fetchall():
        if name not in OWN_FACTS and type(facts.get(name)) is type(value):
            new.execute("UPDATE meta SET value = ? WHERE name = ?", (facts[name], name))


def _copy_unfinished(new: sqlite3.Connection, salvage: Salvage, tables: Mapping[str, Table]) -> None:
    new.execute(INDEXED)
    for name, condition in WANTED.items():
        _copy_rows(new, salvage, tables[name], condition, into=name)
        if name == "envelopes" and name in salvage.damaged:
            _copy_rows(new, salvage, index_of(new, INDEX), WANTED_ENTRIES, into="indexed")
            make_anew(new)


def _copy_rows(new: sqlite3.Connection, salvage: Salvage, table: Table, condition: str, *, into: str) -> None:
    """Copy the rows that fulfil the condition, the first of each key."""
    for width, rows in groupby(salvage.rows(table), key=len):
        columns = ", ".join(column.name for column in table.columns[:width])
        while batch := list(islice(rows, BATCH)):
            new.execute("BEGIN")
            write_rows(new, f"INSERT OR IGNORE INTO {into} ({columns})", batch, after=f" AND {condition}")
            new.execute("COMMIT")


def _counts(new: sqlite3.Connection) -> tuple[int, int]:
    """Return how many mails wait, and how many are dead letters."""
    return (
        new.execute("SELECT value FROM meta WHERE name = 'open'").fetchone()[0],
        new.execute(f"SELECT count(*) FROM envelopes WHERE state IN ({DEAD_STATES})").fetchone()[0],
    )


def _lost(waited: Value, copied: int) -> int | None:
    return max(0, waited - copied) if isinstance(waited, int) else None


def _log(report: RescueReport, damaged: set[str], *, new_message_id_key: bool) -> None:
    log.warning(
        "journal_rescued",
        copied=report.copied,
        dead_letters=report.dead_letters,
        lost=report.lost,
        lost_files=report.lost_files,
        old_file=str(report.old_file),
        damaged=sorted(damaged),
        new_message_id_key=new_message_id_key,
    )
