"""The reader: what a failed read means for who asked."""

import sqlite3
from pathlib import Path

import pytest

from app.domain.errors import JournalUnavailable
from app.storage.reader import Reader

FAULTS: dict[str, tuple[int, type[Exception]]] = {
    "a page that makes no sense": (sqlite3.SQLITE_CORRUPT, JournalUnavailable),
    "a page that cannot be read": (sqlite3.SQLITE_IOERR_READ, JournalUnavailable),
    "a disk that fails": (sqlite3.SQLITE_IOERR_SHMOPEN, JournalUnavailable),
    "a fault of ours": (sqlite3.SQLITE_ERROR, sqlite3.DatabaseError),
}


@pytest.mark.parametrize(("code", "kind"), FAULTS.values(), ids=FAULTS.keys())
async def test_faults_are_told_apart(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """Where the file or the disk is at fault the client is told to come again; the writer hears of every fault."""
    noted: list[sqlite3.DatabaseError] = []
    reader = Reader(sqlite3.connect(tmp_path / "file", check_same_thread=False), on_fault=noted.append)
    fault = sqlite3.DatabaseError("no good")
    fault.sqlite_errorcode = code

    def read(_: sqlite3.Connection) -> None:
        raise fault

    with pytest.raises(kind) as refusal:
        await reader.run(read)
    assert type(refusal.value) is kind
    assert noted == [fault]
    await reader.close()
