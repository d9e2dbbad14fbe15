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
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None, typed: str = ""
) -> Shown:
    """Run the command in `home` at a terminal of its own; `typed` lies ready for it to read."""
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
    os.write(ours, typed.encode())
    shown = _all(ours)
    os.close(ours)
    return Shown(process.wait(HANG), shown.decode().replace("\r\n", "\n"))


def _all(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # EIO: nobody has the other side open any more
            return shown
        if not piece:
            return shown
        shown += piece
