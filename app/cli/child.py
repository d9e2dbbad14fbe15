"""Runs a command as if it had been started directly: its output, its signals, its end; with a time limit if asked."""

import errno
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.cli.forwarding import Forwarding, is_foreground
from app.cli.passage import STDERR, STDOUT, Passage, fill_standard_descriptors, same_target

KILL_AFTER_S = 10.0  # between SIGTERM and SIGKILL, for a command that tidies up
LINGER_S = 2.0  # for output of what the command has left behind
TIMED_OUT = 124  # as timeout(1) of GNU coreutils
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # POSIX, Shell Command Language, section 2.8.2
BY_SIGNAL = 128  # and the signal's number: the same section, and every shell
FOREVER_S = 3_600.0  # the longest poll; poll(2) itself takes 24 days and no more


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnd:
    """How a command ended: `code` is what a shell would show, `signal` the one that killed it, 0 if none did.

    `timed_out_after_s` is the limit that it exceeded. `not_started` says why it could not even begin.
    """

    code: int
    started_at: datetime
    seconds: float
    signal: int = 0
    timed_out_after_s: float | None = None
    not_started: str = ""

    @property
    def ok(self) -> bool:
        """Whether it did what it should."""
        return self.code == 0


def run_command(command: Sequence[str], *, timeout_s: float | None, on_chunk: Callable[[bytes], None]) -> CommandEnd:
    """Run it to its end, and pass on what it writes; `on_chunk` sees all of that."""
    fill_standard_descriptors()
    started_at, began = datetime.now(UTC), time.monotonic()
    with Forwarding() as forwarding:
        try:
            running = _start(command, forwarding, on_chunk)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            return CommandEnd(code=code, started_at=started_at, seconds=0.0, not_started=error.strerror or str(error))
        timed_out = running.attend(None if timeout_s is None else began + timeout_s)
        seconds = time.monotonic() - began
        status = running.reap()
    return CommandEnd(
        code=TIMED_OUT if timed_out else BY_SIGNAL - status if status < 0 else status,
        started_at=started_at,
        seconds=seconds,
        signal=max(0, -status),
        timed_out_after_s=timeout_s if timed_out else None,
    )


def _start(command: Sequence[str], forwarding: Forwarding, on_chunk: Callable[[bytes], None]) -> "_Running":
    """Start it in a group of its own, so that a signal and the time limit reach all that it starts.

    In the foreground of a terminal it stays in ours: only there may it read from the terminal, and Ctrl-C reaches it.
    """
    in_foreground = is_foreground()
    reads, writes = zip(*(os.pipe() for _ in range(1 if same_target() else 2)), strict=True)
    try:
        process = _spawn(command, stdout=writes[0], stderr=writes[-1], group=None if in_foreground else 0)
    except BaseException:
        for descriptor in reads:
            os.close(descriptor)
        raise
    finally:
        for descriptor in writes:
            os.close(descriptor)
    forwarding.begin(process.pid, in_foreground=in_foreground)
    passages = [Passage(read, target, on_chunk) for read, target in zip(reads, (STDOUT, STDERR), strict=False)]
    return _Running(process, forwarding, passages)


def _spawn(command: Sequence[str], *, stdout: int, stderr: int, group: int | None) -> subprocess.Popen[bytes]:
    """Start it with the descriptors that we have inherited, of which it may need any, such as a lock of flock(1)."""

    def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - to run what it is told is what this command is for
            words, stdout=stdout, stderr=stderr, process_group=group, close_fds=False
        )

    try:
        return start(command)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    # POSIX, Shell Command Language, section 2.9.1.1: a file that is no program is a script of the shell.
    from shutil import which

    return start(["/bin/sh", which(command[0]) or command[0], *command[1:]])


class _Running:
    """A command that runs. It is not reaped before the end: until then nobody else can get its process id."""

    def __init__(self, process: subprocess.Popen[bytes], forwarding: Forwarding, passages: list[Passage]) -> None:
        self._process = process
        self._forwarding = forwarding
        self._passages = passages
        self._timed_out = False
        self._kill_at: float | None = None
        self._leave_at: float | None = None

    def attend(self, until: float | None) -> bool:
        """Pass output on until the command has ended; return whether it had to be ended at the time `until`."""
        while not self._is_over(time.monotonic()):
            deadlines = [at for at in (until, self._kill_at, self._leave_at) if at is not None]
            self._wait(min(deadlines, default=FOREVER_S + time.monotonic()) - time.monotonic())
            now = time.monotonic()
            if until is not None and now >= until:
                until = None
                self._time_out(now)
            if self._kill_at is not None and now >= self._kill_at:
                self._kill_at = None
                self._forwarding.send_to_all(signal.SIGKILL)
        if self._timed_out:
            self._forwarding.send_to_all(signal.SIGKILL)  # what it has started, and has not ended with it
        return self._timed_out

    def _is_over(self, now: float) -> bool:
        if not self._has_ended():
            return False
        if self._leave_at is None:
            self._leave_at = self._kill_at or now + LINGER_S
        return self._all_passed() or now >= self._leave_at

    def _time_out(self, now: float) -> None:
        if self._has_ended():
            return
        self._timed_out, self._kill_at = True, now + KILL_AFTER_S
        self._forwarding.send_to_all(signal.SIGTERM)
        self._forwarding.send_to_all(signal.SIGCONT)  # one that is stopped could not end

    def reap(self) -> int:
        """Return the status as subprocess has it, and leave nothing behind that reads for nobody."""
        if not self._all_passed():
            self._leave_reader()
        for passage in self._passages:
            passage.close()
        return self._process.wait()

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _all_passed(self) -> bool:
        return all(passage.is_done for passage in self._passages)

    def _wait(self, seconds: float) -> None:
        """Wait until a stream can go on, a signal comes (SIGCHLD too), or so long."""
        waiting = {passage.waits_for()[0]: passage for passage in self._passages if not passage.is_done}
        poll = select.poll()
        poll.register(self._forwarding.wakeup, select.POLLIN)
        for passage in waiting.values():
            poll.register(*passage.waits_for())
        for descriptor, _ in poll.poll(min(max(0.0, seconds), FOREVER_S) * 1000 + 1):
            if descriptor == self._forwarding.wakeup:
                self._forwarding.drain()
            else:
                waiting[descriptor].move()

    def _leave_reader(self) -> None:
        """Leave a process that goes on passing output, as long as something that the command started writes it.

        Without it a service that the command has started would die of its next line (SIGPIPE).
        """
        if os.fork():
            return
        try:
            os.setsid()
            self._forwarding.stop()
            while not self._all_passed():
                self._wait(FOREVER_S)
        finally:
            os._exit(0)
