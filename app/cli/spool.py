"""The spool as clients use it: a directory where alerts lie that could not be posted.

There are two kinds. One's own (mode 0700) is emptied by the next command of the same user. The shared one belongs to
the daemon of this machine, which watches it: sticky, and nobody else can list it.
"""

import fcntl
import os
import pwd
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.cli.client import is_local
from app.cli.held_file import HeldFile, SpoolError
from app.domain.spooled import MAX_FILE, SUFFIX, BrokenSpoolFile, SpooledAlert, decode_spooled, encode_spooled
from app.intake.spool_lock import hold, is_held

SHARED = Path("/var/spool/mailalert")
OWN = Path(".local/state/mailalert/spool")  # below the home directory; the XDG base directory specification
MAX_FILES = 10_000  # alerts in one's own spool: a job each minute fails for a week
MAX_BYTES = 100 << 20  # of one's own spool; a disk should not fill while the daemon is gone
DAEMON_USER = "mailalert"  # whom deploy/systemd makes
LOCK = ".lock"
BAD = ".refused"  # of a file's name once the daemon has refused the alert, for a person to look at


@dataclass(frozen=True, slots=True)
class Spool:
    """The spool in `folder`. `is_shared`: only the daemon takes alerts out."""

    folder: Path
    is_shared: bool

    def hold(self, alert: SpooledAlert) -> HeldFile:
        """Write the alert into a file of its own, and return it: nobody takes it before it is let go.

        It outlives this process, but a machine that loses its power only once it is durable. Raises SpoolError.
        """
        data = encode_spooled(alert)
        try:
            if len(data) > MAX_FILE:
                raise SpoolError(f"it is larger than {MAX_FILE >> 20} MiB")
            if not self.is_shared:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._check_room(len(data))
            return self._write(data, f"{time.time_ns() // 1_000_000:013d}-{alert.key}")
        except OSError as error:
            raise SpoolError(f"{self.folder}: {error.strerror or error}") from None

    def put(self, alert: SpooledAlert) -> Path:
        """Write the alert, and return its file once it is on the disk. Raises SpoolError."""
        with self.hold(alert) as held:
            held.make_durable()
            return held.file

    def files(self) -> list[Path]:
        """Return the alerts of one's own spool, the oldest first; none if it cannot be read."""
        try:
            with os.scandir(self.folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(SUFFIX)]
        except OSError:
            return []
        return [self.folder / name for name in sorted(names) if not name.startswith(".")]

    @contextmanager
    def emptying(self) -> Iterator[bool]:
        """Tell whether this process alone empties the spool now."""
        try:
            lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            yield False
            return
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    def _check_room(self, size: int) -> None:
        count, used = 0, size
        with os.scandir(self.folder) as entries:
            for entry in entries:
                count += 1
                with suppress(FileNotFoundError):  # another command has just posted it, or given it its name
                    used += entry.stat(follow_symlinks=False).st_size
        if count >= MAX_FILES or used > MAX_BYTES:
            raise SpoolError(f"{self.folder} is full: at most {MAX_FILES} alerts and {MAX_BYTES >> 20} MiB fit")

    def _write(self, data: bytes, name: str) -> HeldFile:
        """Whoever reads the directory sees all of the file or nothing."""
        draft, whole = self.folder / f".{name}", self.folder / f"{name}{SUFFIX}"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb", closefd=False) as stream:
                stream.write(data)
            if self.is_shared:
                os.fchmod(file, 0o640)  # the directory gives the file its own group, that of the daemon
            hold(file)  # before it has a name that others look for
            draft.rename(whole)
        except BaseException:
            draft.unlink(missing_ok=True)
            os.close(file)
            raise
        return HeldFile(whole, file)


def read_spooled(file: Path) -> SpooledAlert | None:
    """Return the alert in a file of one's own spool, None while another command hands it in.

    Raises BrokenSpoolFile and OSError.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BrokenSpoolFile("it is no regular file")
        if is_held(descriptor):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return decode_spooled(stream.read(MAX_FILE + 1))
    finally:
        os.close(descriptor)


def usable_spool(environ: Mapping[str, str], url: str) -> Spool | SpoolError:
    """Return the spool for alerts to the daemon at `url`, or the reason why there is none.

    That is MAILALERT_SPOOL, else the shared one if it is there and the daemon is of this machine, else one's own.
    """
    named = environ.get("MAILALERT_SPOOL")
    if not named and not (is_local(url) and os.access(SHARED, os.W_OK | os.X_OK)):
        return usable_own_spool(environ)
    try:
        return open_spool(Path(named) if named else SHARED)
    except SpoolError as error:
        return error


def usable_own_spool(environ: Mapping[str, str]) -> Spool | SpoolError:
    """Return this user's own spool, or the reason why there is none."""
    state = environ.get("XDG_STATE_HOME", "")
    try:
        return open_spool(Path(state, "mailalert/spool") if state.startswith("/") else Path.home() / OWN)
    except RuntimeError:
        return SpoolError("there is no home directory; name a directory in MAILALERT_SPOOL")
    except SpoolError as error:
        return error


def open_spool(folder: Path) -> Spool:
    """Return the spool in `folder`; one that is missing is made with the first alert. Raises SpoolError.

    A folder that others may write, and that is not sticky, is refused: they could take alerts out, or change them.
    """
    try:
        status = folder.stat(follow_symlinks=False)
    except FileNotFoundError:
        return Spool(folder, is_shared=False)
    except OSError as error:
        raise SpoolError(f"{folder}: {error.strerror or error}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise SpoolError(f"{folder} is no directory")
    if status.st_mode & stat.S_ISVTX:
        if status.st_uid not in _trusted_users():
            raise SpoolError(f"{folder} is sticky and belongs to another user, who could take alerts out of it")
        return Spool(folder, is_shared=True)
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SpoolError(f"{folder} must be this user's own and writable by nobody else; run chmod 700 {folder}")
    return Spool(folder, is_shared=False)


def _trusted_users() -> set[int]:
    """Return who may own a shared spool: this user, root, and the user of the daemon, who owns the usual one."""
    trusted = {0, os.geteuid()}
    with suppress(OSError):
        trusted.add(SHARED.stat(follow_symlinks=False).st_uid)
    with suppress(KeyError):
        trusted.add(pwd.getpwnam(DAEMON_USER).pw_uid)
    return trusted
