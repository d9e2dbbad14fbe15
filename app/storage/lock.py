"""The lock on the data directory: one daemon, one journal."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.domain.errors import ConfigurationError, JournalLocked

LOCK_FILE = "lock"
OWNER_ONLY = 0o700  # alerts may hold what only the operators should read


class DirectoryLock:
    """Holds `data_dir` for this process while the context is entered; makes the directory if need be."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_FILE
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Raises JournalLocked with the holder's process id, ConfigurationError if the directory is unusable."""
        try:
            self._path.parent.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"data_dir {self._path.parent}: {error.strerror}; make it writable for this user or set data_dir"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalLocked(
                f"data_dir {self._path.parent} is in use by the daemon with process id {self._holder()};"
                " stop that one first, or give this one its own data_dir"
            ) from None
        with suppress(OSError):  # a full disk: the lock holds without the number too
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def _holder(self) -> str:
        holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(self._descriptor)
        return holder or "unknown"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)  # the lock goes with the descriptor
