"""Hands signals on to a command, as if they had been sent to it."""

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

TO_ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)  # what ends a job ends all of it
TO_COMMAND = (signal.SIGUSR1, signal.SIGUSR2)  # what they mean only the command itself knows
FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)  # a terminal sends them to the whole foreground: termios(3), ISIG
Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None


class Forwarding:
    """Catches signals from `__enter__` to `__exit__`. What comes before the command has begun is handed on then.

    `wakeup` is a descriptor that can be read once any signal came, also SIGCHLD.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._in_foreground = False
        self._early: list[int] = []
        self._before: dict[int, Handler] = {}

    def __enter__(self) -> Self:
        self.wakeup, self._wakes = os.pipe()
        for descriptor in (self.wakeup, self._wakes):
            os.set_blocking(descriptor, False)
        self._wakeup_before = signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (*TO_ALL, *TO_COMMAND):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup(1) means the command too
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self.wakeup)
        os.close(self._wakes)

    def begin(self, pid: int, *, in_foreground: bool) -> None:
        """From now on signals go to the command; to its group, unless that is ours."""
        self._pid = pid
        self._in_foreground = in_foreground
        for number in self._early:
            self._hand_on(number)

    def send_to_all(self, number: int) -> None:
        """Send the signal to all that the command has started and that did not leave its group."""
        send = os.kill if self._in_foreground else os.killpg
        try:
            send(self._pid, number)
        except OSError:  # it has ended, or belongs to somebody else by now (sudo)
            return

    def stop(self) -> None:
        """Hand on nothing more: signals do to this process what they do to any."""
        for number in (*TO_ALL, *TO_COMMAND):
            signal.signal(number, signal.SIG_DFL)

    def drain(self) -> None:
        """Forget which signals woke us."""
        try:
            os.read(self.wakeup, 512)
        except BlockingIOError:
            return

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._pid:
            self._hand_on(number)
        else:
            self._early.append(number)

    def _hand_on(self, number: int) -> None:
        if number in TO_COMMAND:
            try:
                os.kill(self._pid, number)
            except OSError:
                return
        elif not (self._in_foreground and number in FROM_TERMINAL):
            self.send_to_all(number)


def is_foreground() -> bool:
    """Tell whether this process may read from its terminal; False without one, as under cron."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
