"""Puts a new journal in the place of a damaged one. A crash at any moment leaves the old one or the whole new one.

The new journal is written in a directory of its own. Its renaming to a name that tells when is the moment from
which the new one counts; what is left to do then is done again, if need be, by the next start.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

JOURNAL_FILE = "journal.sqlite3"
UNFINISHED = "rescue"
FINISHED = "rescued-"
COMPANIONS = ("", "-wal", "-shm")  # sqlite.org/walformat.html section 1: the log and its index belong to the file


def begin_replacement(data_dir: Path) -> Path:
    """Return an empty directory for the new journal."""
    directory = data_dir / UNFINISHED
    shutil.rmtree(directory, ignore_errors=True)  # of a rescue that a crash ended
    directory.mkdir(mode=0o700)
    return directory


def replace_journal(data_dir: Path, now: datetime) -> Path:
    """Put the new journal, which is complete and closed, in place; return where the old one is kept."""
    directory = data_dir / UNFINISHED
    _sync(directory / JOURNAL_FILE)
    _sync(directory)
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    directory.rename(data_dir / f"{FINISHED}{stamp}")
    _sync(data_dir)
    finish_replacement(data_dir)
    return _old_journal(data_dir, stamp)


def finish_replacement(data_dir: Path) -> None:
    """Do what is left of a replacement that a crash interrupted, if there is one."""
    for directory in data_dir.glob(f"{FINISHED}*"):
        new = directory / JOURNAL_FILE
        if new.exists():
            old = _old_journal(data_dir, directory.name.removeprefix(FINISHED))
            for companion in COMPANIONS:
                _move_if_there(data_dir / f"{JOURNAL_FILE}{companion}", old.with_name(f"{old.name}{companion}"))
            new.rename(data_dir / JOURNAL_FILE)
            _sync(data_dir)
        directory.rmdir()


def _old_journal(data_dir: Path, stamp: str) -> Path:
    return data_dir / f"journal-damaged-{stamp}.sqlite3"


def _move_if_there(path: Path, target: Path) -> None:
    if path.exists():
        path.rename(target)


def _sync(path: Path) -> None:
    """Make sure that the file, or what the directory says, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
