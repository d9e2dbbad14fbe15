"""What SQLite's errors mean: full for a while, failing for good, or damaged."""

import errno
import sqlite3

import pytest

from app.domain.errors import JournalCorrupt, JournalFailed
from app.storage.faults import is_full, lasting_fault, may_be_full


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """Return the error that SQLite's result code makes."""
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


MEANINGS = {
    "a failed fsync": (sqlite3.SQLITE_IOERR_FSYNC, JournalFailed),
    "a failed fsync of the directory": (sqlite3.SQLITE_IOERR_DIR_FSYNC, JournalFailed),
    "a failed write": (sqlite3.SQLITE_IOERR_WRITE, JournalFailed),
    "a failed read": (sqlite3.SQLITE_IOERR_READ, JournalCorrupt),
    "a file that is too short": (sqlite3.SQLITE_IOERR_SHORT_READ, JournalCorrupt),
    "a page that makes no sense": (sqlite3.SQLITE_CORRUPT, JournalCorrupt),
    "an index that makes no sense": (sqlite3.SQLITE_CORRUPT_INDEX, JournalCorrupt),
    "another file": (sqlite3.SQLITE_NOTADB, JournalCorrupt),
    "a full disk": (sqlite3.SQLITE_FULL, None),
    "a file in use": (sqlite3.SQLITE_BUSY, None),
    "a wrong statement": (sqlite3.SQLITE_ERROR, None),
}


@pytest.mark.parametrize(("code", "meaning"), MEANINGS.values(), ids=MEANINGS.keys())
def test_whether_anything_may_be_written_afterwards(code: int, meaning: type | None) -> None:
    """Only what may pass is tried again."""
    fault = lasting_fault(sqlite_error(code))
    assert (type(fault) if fault else None) is meaning


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (OSError(errno.ENOSPC, ""), True),
        (OSError(errno.EDQUOT, ""), True),
        (OSError(errno.EIO, ""), False),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), False),
    ],
    ids=["SQLITE_FULL", "ENOSPC", "EDQUOT", "EIO", "SQLITE_IOERR_WRITE"],
)
def test_what_says_that_the_disk_is_full(error: Exception, *, full: bool) -> None:
    """SQLite and the system say it in their own ways."""
    assert is_full(error) is full


def test_what_may_be_a_full_quota() -> None:
    """A used-up quota looks like a broken disk to SQLite, so somebody has to look."""
    assert may_be_full(sqlite_error(sqlite3.SQLITE_IOERR_WRITE))
    assert not may_be_full(sqlite_error(sqlite3.SQLITE_IOERR_FSYNC))


def test_a_disk_that_fails_outside_sqlite() -> None:
    """The rescue and the reserve use files without SQLite, and EIO means the same there."""
    assert isinstance(lasting_fault(OSError(errno.EIO, "Input/output error")), JournalFailed)
