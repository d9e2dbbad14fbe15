"""What an error of SQLite says about the disk and the file: full, failing, or damaged."""

import errno
import sqlite3

from app.domain.errors import JournalCorrupt, JournalFailed

# A disk or a quota that has no room left.
OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
# sqlite.org/rescode.html: what was written cannot be read back, or makes no sense.
_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_DATA,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)
# Writes that fail so when a quota is used up, and when the disk is broken: SQLite tells only ENOSPC apart.
_MAYBE_FULL = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})


def code_of(error: BaseException) -> int:
    """Return SQLite's extended result code, 0 if the error is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0)


def primary_code_of(error: BaseException) -> int:
    """Return SQLite's primary result code, which is the low byte of the extended one."""
    return code_of(error) & 0xFF


def is_full(error: BaseException) -> bool:
    """Tell whether the error says that the disk is full."""
    if isinstance(error, OSError):
        return error.errno in OUT_OF_ROOM
    return primary_code_of(error) == sqlite3.SQLITE_FULL


def may_be_full(error: BaseException) -> bool:
    """Tell whether a full quota can look like this error; only another try to take room can say."""
    return code_of(error) in _MAYBE_FULL


def lasting_fault(error: BaseException) -> JournalFailed | JournalCorrupt | None:
    """Return what the error means if nothing may be written after it, None if a later try may succeed.

    After a failed fsync the kernel may have thrown away what it could not write, and counts it as written:
    a second fsync would succeed and say nothing (PostgreSQL's "fsyncgate", 2018). So there is none.
    """
    name = getattr(error, "sqlite_errorname", "")
    if primary_code_of(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or code_of(error) in _DAMAGE:
        return JournalCorrupt(f"the journal is damaged: {error} ({name})")
    if primary_code_of(error) == sqlite3.SQLITE_IOERR or getattr(error, "errno", 0) == errno.EIO:
        return JournalFailed(f"the disk does not keep what is written to the journal: {error} ({name}); check the disk")
    return None
