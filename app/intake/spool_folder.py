"""The spool as the daemon sees it: a directory into which every user of this machine may put files.

Nothing in it is believed: no link is followed, only regular files are read, and who owns a file the kernel says.
"""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog

from app.domain.errors import MailAlertError
from app.domain.spooled import MAX_FILE
from app.intake.spool_listing import SpoolListing
from app.intake.spool_lock import is_held

MAX_LEFT = 100_000  # files that are remembered as unreadable, in some 20 MiB

log = structlog.get_logger()


class Unusable(MailAlertError):
    """A file, or the whole directory, cannot be taken; the message says why."""


class Useless(Unusable):
    """The file can never become an alert, whoever mends what."""


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
        """Return up to so many files that may hold alerts, a few of each owner; none if there is no such directory.

        What can never become an alert is removed. Raises Unusable if the directory is not the daemon's own.
        """
        with self._opened() as folder:
            if folder is None:
                return []
            still_left: dict[str, int] = {}

            def is_wanted(name: str, changed: int) -> bool:
                if self._left.get(name) != changed:
                    return True
                still_left[name] = changed
                return False

            listing = SpoolListing(folder, now=now.timestamp(), is_wanted=is_wanted)
            names = listing.names(count)
            self._left = still_left
        if listing.removed:
            log.warning("spool_tidied", removed=listing.removed)
        return names

    def read(self, name: str) -> SpoolFile | None:
        """Return a file, None if it is gone by now, or its command still posts it itself. Raises Unusable."""
        with self._opened() as folder:
            if folder is None:
                return None
            try:
                # Without O_NONBLOCK a named pipe would hold the daemon up for ever.
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno == errno.ELOOP:  # open(2) with O_NOFOLLOW
                    raise Useless("it is a symbolic link") from None
                raise Unusable(f"it cannot be opened ({error.strerror})") from None
        try:
            status = os.fstat(file)
            _check(status)
            if is_held(file):
                return None
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

    def leave(self, name: str) -> bool:
        """Look at a file no more, until it is changed; return whether there was room to remember that."""
        with suppress(OSError), self._opened() as folder:
            if folder is not None and len(self._left) < MAX_LEFT:
                self._left[name] = os.stat(name, dir_fd=folder, follow_symlinks=False).st_ctime_ns
                return True
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


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Useless("it is no regular file")
    if status.st_nlink != 1:  # somebody may have linked a file here that is not theirs to read
        raise Useless("it has another name elsewhere (a hard link)")
    if status.st_size > MAX_FILE:
        raise Useless(f"it is larger than {MAX_FILE >> 20} MiB")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
