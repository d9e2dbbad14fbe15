"""Opening the journal: made from nothing, kept in its mode, never taken for what it is not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.errors import ConfigurationError, JournalCorrupt
from app.storage import database
from app.storage.database import JOURNAL_FILE, SCHEMA_VERSION, Mode, open_reader, open_writer

TABLES = {
    "acknowledgements", "alarms", "alerts", "attachments", "bounced_addresses", "deliveries", "envelopes", "events",
    "heartbeats", "letterheads", "mailbox_mails", "mailboxes", "meta", "receipts", "runs",
}  # fmt: skip


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables."""
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_the_schema_is_made_from_nothing(tmp_path: Path) -> None:
    """A new directory gets every table, at the newest version."""
    with closing(open_writer(tmp_path, Mode.LIVE)) as connection:
        assert tables(connection) == TABLES
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """Migrations run once; the MAC key stays."""
    dumps = []
    for _ in range(2):
        connection = open_writer(tmp_path, Mode.LIVE)
        dumps.append(list(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1]


def test_there_is_a_script_for_every_version() -> None:
    """The migrations in the package lead up to the version that the program knows, without a gap."""
    scripts = sorted(path.name for path in Path(database.__file__).with_name("schema").iterdir())
    assert scripts == [f"{version:04}.sql" for version in range(1, SCHEMA_VERSION + 1)]


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A version is reached whole or not at all."""
    connection = sqlite3.connect(tmp_path / JOURNAL_FILE)
    connection.execute("CREATE TABLE runs (id INTEGER)")  # in the way of the first migration
    connection.close()
    with pytest.raises(ConfigurationError, match="runs already exists"):
        open_writer(tmp_path, Mode.LIVE)
    with closing(sqlite3.connect(tmp_path / JOURNAL_FILE)) as connection:
        assert tables(connection) == {"runs"}
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    """An old program never writes into a schema that it does not know."""
    connection = open_writer(tmp_path, Mode.LIVE)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(ConfigurationError, match="run the newer program"):
        open_writer(tmp_path, Mode.LIVE)


@pytest.mark.parametrize(
    ("made", "served", "remedy"),
    [(Mode.SANDBOX, Mode.LIVE, "must not reach people"), (Mode.LIVE, Mode.SANDBOX, "would swallow")],
    ids=["sandbox as live", "live as sandbox"],
)
def test_a_journal_of_the_other_mode_is_refused(tmp_path: Path, made: Mode, served: Mode, remedy: str) -> None:
    """Sandbox alerts never reach people, and real ones are never swallowed."""
    open_writer(tmp_path, made).close()
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        open_writer(tmp_path, served)
    assert str(tmp_path) in str(caught.value)
    open_writer(tmp_path, made).close()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """It counts as a damaged one, and the message names the file."""
    (tmp_path / JOURNAL_FILE).write_text("not a database, and long enough to have a header\n" * 10)
    with pytest.raises(JournalCorrupt, match=f"{JOURNAL_FILE}: file is not a database"):
        open_writer(tmp_path, Mode.LIVE)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """No journal is made elsewhere instead."""
    with pytest.raises(ConfigurationError, match="set another data_dir"):
        open_writer(tmp_path / "missing", Mode.LIVE)


def test_only_the_owner_reads_the_journal(tmp_path: Path) -> None:
    """Alerts may hold what only the operators should read, and so may the write-ahead log."""
    connection = open_writer(tmp_path, Mode.LIVE)
    connection.execute("UPDATE meta SET value = 1 WHERE name = 'open'")
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        f"{JOURNAL_FILE}{suffix}": "0o600" for suffix in ("", "-wal", "-shm")
    }
    connection.close()


def test_the_reader_cannot_write(tmp_path: Path) -> None:
    """Whatever a read does, the journal stays as it is."""
    writer = open_writer(tmp_path, Mode.LIVE)
    reader = open_reader(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM meta")
    reader.close()
    writer.close()


def test_a_directory_may_have_any_name(tmp_path: Path) -> None:
    """The reader's URI escapes what would be read as its parameters."""
    directory = tmp_path / "a b?mode=rw#c%20"
    directory.mkdir()
    writer = open_writer(directory, Mode.LIVE)
    reader = open_reader(directory)
    assert tables(reader) == TABLES
    reader.close()
    writer.close()
