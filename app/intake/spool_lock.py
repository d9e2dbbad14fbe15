"""Who may take a spool file just now: whoever wrote it holds a lock on it while it posts the alert itself.

Nobody need clean up after a command that was killed: the kernel lets go of its lock.
"""

import fcntl
from contextlib import suppress


def hold(file: int) -> None:
    """Lock the open file, until it is closed. Where the file system has no locks, nobody waits for anybody."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(file: int) -> bool:
    """Tell whether another process holds this open file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
