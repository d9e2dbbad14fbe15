"""The lock: one daemon for one directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import ConfigurationError, JournalLocked
from app.storage.lock import LOCK_FILE, DirectoryLock

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from pathlib import Path
from app.storage.lock import DirectoryLock

with DirectoryLock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_lock_names_the_holder(tmp_path: Path) -> None:
    """Whoever comes second learns which process to look at, and what to do."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(JournalLocked, match=rf"process id {holder.pid}; stop that one"), DirectoryLock(tmp_path):
            pytest.fail("two hold the lock")
        holder.kill()
    with DirectoryLock(tmp_path):  # a killed holder leaves no lock behind
        assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"


def test_the_lock_ends_with_its_context(tmp_path: Path) -> None:
    """After the end another may serve the directory, also after an error."""
    with pytest.raises(ZeroDivisionError), DirectoryLock(tmp_path):
        raise ZeroDivisionError
    with DirectoryLock(tmp_path):
        pass


def test_being_refused_leaves_the_holder_as_it_is(tmp_path: Path) -> None:
    """The first one's pid is still there for the third."""
    with DirectoryLock(tmp_path):
        for _ in range(2):
            with pytest.raises(JournalLocked, match=str(os.getpid())), DirectoryLock(tmp_path):
                pass


def test_the_directory_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    """A first start needs no mkdir."""
    directory = tmp_path / "var" / "lib"
    with DirectoryLock(directory):
        assert oct(directory.stat().st_mode & 0o777) == "0o700"


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The message names data_dir and the remedy."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"data_dir .*file: .*set data_dir"), DirectoryLock(tmp_path / "file"):
        pass
