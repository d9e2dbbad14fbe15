"""A file that holds one secret, such as a password or a token."""

import os
import stat
import tempfile
from pathlib import Path

from app.domain.errors import ConfigurationError


def read_secret(file: Path, *, name: str) -> str:
    """Return the one line that `file` holds. Raises ConfigurationError, which never repeats what is in it."""
    problem = ""
    try:
        secret = file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
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
