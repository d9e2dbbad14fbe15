"""The reserve: room on the disk that is kept for the outcomes of mails, for when nothing else has any left."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from app.storage.faults import is_full

RESERVE_FILE = "reserve"
RESERVE_BYTES = 4 << 20  # the outcomes of about ten thousand mails
TRIAL_BYTES = 65_536  # what a small commit takes


class Reserve:
    """A file that takes up room and holds nothing. It stays on the disk between two runs."""

    def __init__(self, data_dir: Path) -> None:
        """Take the room if it is there; a disk without it is found out by the first commit that fails."""
        self._path = data_dir / RESERVE_FILE
        with suppress(OSError):
            self.fill()

    def fill(self) -> None:
        """Take the whole room again. Raises OSError if the disk has not got it; then nothing is taken."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Where the file system cannot allocate, glibc writes a byte into every block instead.
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Give the room to whoever writes first."""
        self._path.unlink(missing_ok=True)

    def disk_is_full(self) -> bool:
        """Tell whether the disk, or a quota on it, has no room for even a small commit."""
        try:
            with tempfile.TemporaryFile(dir=self._path.parent) as trial:
                os.posix_fallocate(trial.fileno(), 0, TRIAL_BYTES)
        except OSError as error:
            return is_full(error)
        return False
