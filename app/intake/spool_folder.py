"""The spool as the daemon sees it: a directory into which every user of this machine may put files.

Nothing in it is believed: no link is followed, only regular files are read, and who owns a file the kernel says.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from app.domain.errors import MailAlertError
from app.domain.spooled import MAX_FILE, SUFFIX

MAX_LISTED = 100_000  # entries that are looked at in one go; a directory of more is read in a second
MAX_LEFT = 10_000  # files that are remembered as useless
DRAFT_AGE = timedelta(hours=1)  # a client writes its file in a second; what is older was never finished


class Unusable(MailAlertError):
    """A file, or the whole directory, cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """What one file holds, and the user who owns it."""

    name: str
    data: bytes = field(repr=False)
    owner: str


class SpoolFolder:
    """The directory at `path`, which may come and go. Every method blocks, and opens it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left: dict[str, int] = {}  # when each of the useless files was changed: mended ones get another chance

    def names(self, count: int, *, now: datetime) -> list[str]:
        """Return up to so many files that may hold alerts, the oldest first; none if there is no such directory.

        Drafts that nobody finished are removed. Raises Unusable if the directory is not the daemon's own.
        """
        with self._opened() as folder:
            if folder is None:
                return []
            with os.scandir(folder) as entries:
                listed = list(islice(entries, MAX_LISTED))
            present = {entry.name for entry in listed}
            self._left = {name: changed for name, changed in self._left.items() if name in present}
            for entry in listed:
                if entry.name.startswith("."):
                    _remove_old_draft(entry, folder, now)
            return sorted(entry.name for entry in listed if self._is_candidate(entry))[:count]

    def read(self, name: str) -> SpoolFile | None:
        """Return a file, None if it is gone by now. Raises Unusable."""
        with self._opened() as folder:
            if folder is None:
                return None
            try:
                # Without O_NONBLOCK a named pipe would hold the daemon up for ever.
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise Unusable(f"it cannot be opened ({error.strerror})") from None
        try:
            status = os.fstat(file)
            _check(status)
            with os.fdopen(file, "rb", closefd=False) as stream:
                return SpoolFile(name, stream.read(MAX_FILE + 1), _user_name(status.st_uid))
        except OSError as error:
            raise Unusable(f"it cannot be read ({error.strerror})") from None
        finally:
            os.close(file)

    def remove(self, name: str) -> None:
        """Remove a file whose alert is durable. Raises Unusable."""
        with self._opened() as folder:
            if folder is None:
                return
            try:
                os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return
            except OSError as error:
                raise Unusable(f"it cannot be removed ({error.strerror})") from None

    def leave(self, name: str) -> None:
        """Look at a file no more, until it is changed."""
        with suppress(OSError), self._opened() as folder:
            if folder is not None and len(self._left) < MAX_LEFT:
                self._left[name] = os.stat(name, dir_fd=folder, follow_symlinks=False).st_ctime_ns

    def _is_candidate(self, entry: os.DirEntry[str]) -> bool:
        if not entry.name.endswith(SUFFIX) or entry.name.startswith("."):
            return False
        left = self._left.get(entry.name)
        try:
            return left is None or left != entry.stat(follow_symlinks=False).st_ctime_ns
        except OSError:
            return False

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        try:
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise Unusable(f"{self._path} cannot be opened ({error.strerror}); it must belong to the daemon") from None
        try:
            self._check_removal(os.fstat(folder))
            yield folder
        finally:
            os.close(folder)

    def _check_removal(self, status: os.stat_result) -> None:
        """What could not be removed would be mailed again and again: the receipt is kept for a day only."""
        is_owner = os.geteuid() in {0, status.st_uid}
        if status.st_mode & stat.S_ISVTX and not is_owner:
            raise Unusable(
                f"{self._path} is sticky and must belong to the daemon's own user, so that it can remove files"
            )
        if not is_owner and not os.access(self._path, os.W_OK):
            raise Unusable(f"{self._path} must be writable by the daemon")


def _remove_old_draft(entry: os.DirEntry[str], folder: int, now: datetime) -> None:
    with suppress(OSError):
        if now.timestamp() - entry.stat(follow_symlinks=False).st_mtime > DRAFT_AGE.total_seconds():
            os.unlink(entry.name, dir_fd=folder)


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("it is no regular file")
    if status.st_nlink != 1:  # somebody may have linked a file here that is not theirs to read
        raise Unusable("it has another name elsewhere (a hard link)")
    if status.st_size > MAX_FILE:
        raise Unusable(f"it is larger than {MAX_FILE >> 20} MiB")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
