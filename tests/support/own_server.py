"""A server of Debian's in its own folder, from its own configuration, for as long as a test needs it."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HANG = 20  # seconds


@contextmanager
def running(command: Sequence[str | Path], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command`, which stays in the foreground; what it says goes into a file `log` of the folder."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(HANG)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(HANG)
