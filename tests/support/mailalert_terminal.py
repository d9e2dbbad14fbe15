"""The command `mailalert` at a terminal: what it shows there, and what somebody types."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.mailalert_command import HANG, environment

COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """How the command ended, and all that came to the terminal."""

    returncode: int
    text: str


def mailalert_at_terminal(
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None, answer: tuple[str, str] | None = None
) -> Shown:
    """Run the command in `home` at a terminal of its own; `answer` is a question and what is typed then."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, COLUMNS))
    process = subprocess.Popen(
        # setsid(1) makes it the controlling one, which getpass opens.
        ["setsid", "--ctty", sys.executable, "-m", "app", *arguments],
        cwd=home,
        env=environment(home, {"COLUMNS": str(COLUMNS), **(environ or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    # Not before it is asked: getpass forgets what was typed ahead.
    shown = _read(ours, until=answer[0].encode()) if answer else b""
    os.write(ours, answer[1].encode() if answer else b"")
    shown += _read(ours)
    os.close(ours)
    return Shown(process.wait(HANG), shown.decode().replace("\r\n", "\n"))


def _read(terminal: int, *, until: bytes | None = None) -> bytes:
    """Return what is shown up to these words, or up to the end."""
    shown = b""
    while until is None or until not in shown:
        try:
            shown += os.read(terminal, 1 << 16)
        except OSError:  # EIO: nobody has the other side open any more
            break
    return shown
