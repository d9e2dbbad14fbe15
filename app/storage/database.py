"""Opens the journal's SQLite file: pragmas, schema, and the stamp that tells sandbox from live."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from app.domain.errors import ConfigurationError, JournalUnavailable, MailAlertError
from app.storage.faults import is_full, lasting_fault, may_be_full, primary_code_of
from app.storage.pages import PAGE_BYTES
from app.storage.replacement import JOURNAL_FILE, finish_replacement

SCHEMA_VERSION = 4
MAC_KEY_BYTES = 32  # RFC 2104 section 3: a key as long as the hash output, SHA-256 here
CHECKPOINT_PAGES = 4000  # 16 MiB of WAL between checkpoints: at 1000 the commits behind one wait measurably
WRITER_CACHE_KIB = 16_384
READER_CACHE_KIB = 4096


class Mode(StrEnum):
    """Whether the journal's mails may reach people. Stamped when it is made, never changed."""

    SANDBOX = "sandbox"
    LIVE = "live"


@contextmanager
def opening(data_dir: Path) -> Iterator[None]:
    """Tell what SQLite and the system say while the journal is opened in the words of the domain.

    Raises JournalCorrupt when the file is damaged, JournalFailed when the disk fails, JournalUnavailable
    when it is full or the file is in use, and ConfigurationError for the rest.
    """
    path = data_dir / JOURNAL_FILE
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _kind(error)(
            f"journal {path}: {error}; check the disk and the owner of data_dir, or set another data_dir"
        ) from error


def open_writer(data_dir: Path, mode: Mode) -> sqlite3.Connection:
    """Return the one writing connection, its schema up to date.

    Raises ConfigurationError when the journal was made in the other mode, by a newer version,
    or cannot be opened, JournalCorrupt when its file is damaged, and JournalUnavailable (or its JournalFailed)
    when only the disk is in the way.
    """
    path = data_dir / JOURNAL_FILE
    with opening(data_dir):
        finish_replacement(data_dir)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
        try:
            path.chmod(0o600)  # alerts may hold what only the operators should read
            _prepare(connection, mode, data_dir)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, mode: Mode, data_dir: Path) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    # Debian's SQLite writes zeros over whatever it frees: pruning a file of 10 MiB wrote 10 MiB, in 10 times the time.
    connection.execute("PRAGMA secure_delete = FAST")
    migrate(connection, mode)
    check_mode(connection.execute("SELECT value FROM meta WHERE name = 'mode'").fetchone()[0], mode, data_dir)


def _kind(error: Exception) -> type[MailAlertError]:
    """Tell a damaged file, a failing disk, and what may pass (a full disk, a file in use) from a wrong setting."""
    if is_full(error) or may_be_full(error):
        return JournalUnavailable
    if (fault := lasting_fault(error)) is not None:
        return type(fault)
    in_use = primary_code_of(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return JournalUnavailable if in_use else ConfigurationError


def open_reader(data_dir: Path) -> sqlite3.Connection:
    """Return the reading connection; it cannot write and never checkpoints."""
    uri = (data_dir.resolve() / JOURNAL_FILE).as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
    return connection


def migrate(connection: sqlite3.Connection, mode: Mode) -> None:
    """Bring the schema up to date, each version in a transaction of its own; stamp a new journal with `mode`."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"the journal has schema version {version}, this program knows {SCHEMA_VERSION};"
            " run the newer program, or set another data_dir"
        )
    for target in range(version + 1, SCHEMA_VERSION + 1):
        script = files("app.storage").joinpath("schema", f"{target:04}.sql").read_text(encoding="utf-8")
        stamp = _stamp(mode) if target == 1 else ""
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{stamp}PRAGMA user_version = {target};\nCOMMIT;")


def _stamp(mode: Mode) -> str:
    # `open` counts the open envelopes, in the writing transaction: a start never counts over the table.
    return (
        "INSERT INTO meta (name, value) VALUES"
        f" ('mode', '{mode}'), ('mac_key', x'{secrets.token_hex(MAC_KEY_BYTES)}'),"
        " ('open', 0), ('usable_seconds', 0), ('probe', x'');\n"
    )


def check_mode(made_as: object, mode: Mode, data_dir: Path) -> None:
    """Raise ConfigurationError if the journal was made in the other mode."""
    if made_as == Mode.SANDBOX and mode is Mode.LIVE:
        raise ConfigurationError(
            f"data_dir {data_dir} holds a sandbox journal, whose alerts must not reach people;"
            " set another data_dir for live mail, or serve it with --sandbox"
        )
    if made_as == Mode.LIVE and mode is Mode.SANDBOX:
        raise ConfigurationError(
            f"data_dir {data_dir} holds a live journal, whose alerts the sandbox would swallow;"
            " set another data_dir for the sandbox, or serve it without --sandbox"
        )
