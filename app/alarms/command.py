"""The alarm as a program that is run with JSON on its standard input, without a shell."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from datetime import timedelta

from app.alarms.body import Body
from app.domain.alarm import Alarm
from app.domain.errors import AlarmNotSent
from app.domain.text import one_line, shorten

DEADLINE = timedelta(seconds=30)  # a program that dials a modem takes as long
MAX_OUTPUT = 4096  # bytes of what it prints that are looked at; the rest is read and thrown away
SHOWN = 300  # characters of it in the log
OWN_SETTINGS = "MAILALERT_"  # variables that may hold passwords
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # of systemd: the folder of this service's passwords


class AlarmCommand:
    """Runs one program for each alarm. Its arguments may hold secrets, and are never shown."""

    name = "command"

    def __init__(
        self, argv: Sequence[str], *, body: Body, environment: Mapping[str, str], deadline: timedelta = DEADLINE
    ) -> None:
        """`environment` is the daemon's own; what it holds of passwords is not handed on."""
        self._argv = tuple(argv)
        self._body = body
        self._environment = {
            name: value
            for name, value in environment.items()
            if not name.startswith(OWN_SETTINGS) and name != CREDENTIALS
        }
        self._deadline = deadline

    async def send(self, alarm: Alarm) -> None:
        """Return once the program has ended with 0. Raises AlarmNotSent.

        At the deadline it is killed with all that it started, unless that has left its process group.
        """
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                status, output = await self._run(self._body(alarm))
        except TimeoutError:
            raise AlarmNotSent(f"the command did not end within {self._deadline.total_seconds():g} s") from None
        except OSError as error:
            raise AlarmNotSent(f"the command cannot be run: {error.strerror}") from None
        if status:
            said = shorten(one_line(output.decode(errors="replace")), SHOWN)
            raise AlarmNotSent(f"the command ended with {status}{f': {said}' if said else ''}")

    async def _run(self, stdin: bytes) -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=self._environment, start_new_session=True
        )
        try:
            _, output = await asyncio.gather(_feed(process, stdin), _read(process))
            return await process.wait(), output
        except BaseException:  # the deadline, or the daemon's end: nothing may be left behind
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the session that it was started in is its group
            await process.wait()
            raise


async def _feed(process: Process, stdin: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a program need not read what it is given
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


async def _read(process: Process) -> bytes:
    """Return the beginning of what the program prints, once it prints no more."""
    assert process.stdout is not None
    output = b""
    while piece := await process.stdout.read(MAX_OUTPUT):
        output += piece[: MAX_OUTPUT - len(output)]
    return output
