"""A file that holds one secret, such as a password or a token."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.domain.errors import ConfigurationError

NOT_THE_OWNER = stat.S_IRWXG | stat.S_IRWXO
GROUP_READS = stat.S_IRGRP
MAX_SECRET = 64 << 10  # characters; what signs a webhook has a few dozen


def read_secret(file: Path, *, name: str) -> str:
    """Return the one line that `file` holds. Raises ConfigurationError, which never repeats what is in it."""
    return _one_line(file, name, lambda: file.read_text(encoding="utf-8"))


def read_private_secret(file: Path, *, name: str, by_systemd: bool = False) -> str:
    """Return the same of a file that nobody but the daemon and root can read.

    Raises ConfigurationError also where others could, or where it belongs to another user, who could change that.
    `by_systemd` says that it is a credential: these belong to root and have mode 0440, in a folder that is closed to
    others (systemd.exec(5), CREDENTIALS).
    """
    return _one_line(file, name, lambda: _private_text(file, name, GROUP_READS if by_systemd else 0))


def _private_text(file: Path, name: str, allowed: int) -> str:
    # O_NONBLOCK: a pipe without a writer must not hold up the start.
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        # Of the open file, not of the name, behind which another one may stand a moment later.
        if problem := _not_private(os.fstat(descriptor), allowed):
            raise ConfigurationError(f"{name}: {file} {problem}")
        return stream.read(MAX_SECRET)


def _not_private(status: os.stat_result, allowed: int) -> str:
    """Return what is wrong with the file, and the remedy; "" if nothing is."""
    if not stat.S_ISREG(status.st_mode):
        return "is no regular file; put the secret into one"
    if status.st_uid not in {os.geteuid(), 0}:
        return "belongs to another user than the one who runs this; chown it, or run this as that user"
    if status.st_mode & NOT_THE_OWNER & ~allowed:
        return f"can be read or written by others (mode {stat.S_IMODE(status.st_mode):04o}); chmod 600 it"
    return ""


def _one_line(file: Path, name: str, read: Callable[[], str]) -> str:
    problem = ""
    try:
        secret = read().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:  # raised again below, outside: the exception holds the bytes
        problem = "is not UTF-8 text"
    else:
        if not secret:
            problem = "is empty"
        elif not secret.isprintable():
            problem = "holds more than one line, or control characters"
    if problem:
        raise ConfigurationError(f"{name}: {file} {problem}; put the secret there, alone on one line")
    return secret


def replace_secret(file: Path, secret: str) -> None:
    """Put `secret` in place of what `file` holds, all at once, with the owner and mode that it has. Raises OSError."""
    target = file.resolve()  # a link to the file stays one
    old = target.stat()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # nobody else may read it
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as fresh:
            fresh.write(f"{secret}\n")
            fresh.flush()
            if os.geteuid() == 0:  # root's `mailalert check` must not take the file away from the daemon
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
            os.fsync(descriptor)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
