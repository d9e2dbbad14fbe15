"""A file in the spool that the command which wrote it still holds: neither the daemon nor another command takes it.

The lock goes with the process, however that ends; from then on the alert is anybody's to hand in.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self


class SpoolError(Exception):
    """An alert cannot be kept in the spool; the message says why."""


class HeldFile:
    """The alert in `file`, locked by the open file `descriptor`."""

    def __init__(self, file: Path, descriptor: int) -> None:
        self.file = file
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.let_go()

    def make_durable(self) -> None:
        """Return once file and name are on the disk. Raises SpoolError."""
        try:
            os.fsync(self._descriptor)
            self._sync_name()
        except OSError as error:
            raise SpoolError(f"{self.file}: {error.strerror or error}") from None

    def remove(self) -> None:
        """Remove the file: the daemon has the alert. What stays all the same would be taken once, for its key."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError:
            return

    def let_go(self) -> None:
        """Let others take it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _sync_name(self) -> None:
        try:
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            # The shared spool can be opened by the daemon alone. ext4, XFS and btrfs write the name with the file.
            return
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
