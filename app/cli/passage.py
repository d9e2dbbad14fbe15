"""What a command writes, on its way to our own stdout or stderr: every byte, as it comes.

Nothing here blocks: a reader who stalls must not keep a time limit from being kept.
"""

import os
import select
from collections.abc import Callable

CHUNK = 64 << 10  # bytes; what a pipe of Linux holds
STDOUT, STDERR = 1, 2


class Passage:
    """From a pipe to one of our descriptors. A target that cannot be written costs what was to go there, no more."""

    def __init__(self, source: int, target: int, on_chunk: Callable[[bytes], None]) -> None:
        """`on_chunk` is called with all that the command wrote."""
        self._source = source
        self._target = target
        self._on_chunk = on_chunk
        self._pending = memoryview(b"")
        self._is_open = True
        self._target_works = True

    @property
    def is_done(self) -> bool:
        """Whether the command has closed its end, and all has been passed on."""
        return not self._is_open and not self._pending

    def waits_for(self) -> tuple[int, int]:
        """Return the descriptor and the event of poll(2) that it waits for: nothing is read before all is written."""
        return (self._target, select.POLLOUT) if self._pending else (self._source, select.POLLIN)

    def move(self) -> None:
        """Write or read one piece; what `waits_for` says has happened."""
        if self._pending:
            self._write()
        elif self._is_open:
            self._read()

    def close(self) -> None:
        """Read no more."""
        if self._is_open:
            self._is_open = False
            os.close(self._source)

    def _read(self) -> None:
        chunk = os.read(self._source, CHUNK)
        if not chunk:
            self.close()
            return
        self._on_chunk(chunk)
        if self._target_works:
            self._pending = memoryview(chunk)

    def _write(self) -> None:
        try:
            # POSIX write(): a pipe that polls writable takes PIPE_BUF bytes without waiting.
            written = os.write(self._target, self._pending[: select.PIPE_BUF])
        except BlockingIOError:
            return
        except OSError:  # closed, or its reader is gone: the command is not to suffer for it
            self._target_works = False
            self._pending = memoryview(b"")
            return
        self._pending = self._pending[written:]


def same_target() -> bool:
    """Tell whether our stdout and stderr are one, as after 2>&1: then one pipe keeps the order of both."""
    out, err = os.fstat(STDOUT), os.fstat(STDERR)
    return (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)


def fill_standard_descriptors() -> None:
    """Open /dev/null where stdin, stdout or stderr are closed: a pipe must not take their numbers."""
    for descriptor in (0, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number, which is this one
