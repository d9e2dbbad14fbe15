"""How a command ends badly: a message on stderr and a code of sysexits.h that scripts can tell apart."""

import os
import sys
from typing import NoReturn

USAGE = 64  # EX_USAGE: the command line is wrong
REFUSED = 65  # EX_DATAERR: what was sent is wrong; again would fail again
NO_INPUT = 66  # EX_NOINPUT: a file that was named cannot be read
DISK = 74  # EX_IOERR: the disk does not keep what is written to it
PROTOCOL = 76  # EX_PROTOCOL: what answers there is no mailalert
TEMPORARY = 75  # EX_TEMPFAIL: try again later
DENIED = 77  # EX_NOPERM: the token is missing or wrong
CONFIGURATION = 78  # EX_CONFIG: a setting is missing or wrong


def fail(message: object, code: int) -> NoReturn:
    """Print `message` on stderr and end the command with `code`."""
    warn(message)
    sys.exit(code)


def warn(message: object) -> None:
    """Print `message` on stderr. One that cannot be written is worth neither an alert nor the command that is run."""
    if sys.stderr is None:  # it was closed when Python started
        return
    try:
        print(f"mailalert: {message}", file=sys.stderr, flush=True)
    except OSError:
        # What lies in its buffer would make Python end with 120, whatever code we end with.
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
