"""Alarms handed to a program, which really runs."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from app.alarms.body import alarm_body
from app.alarms.command import DEADLINE, SHOWN, AlarmCommand
from app.domain.alarm import Alarm
from app.domain.errors import AlarmNotSent
from tests.support.alarms import an_alarm
from tests.support.clock import NOW

SECRETS = {"MAILALERT_RELAY_PASSWORD": "s3cret", "CREDENTIALS_DIRECTORY": "/run/credentials/mailalert"}


def body(alarm: Alarm) -> bytes:
    """Return the JSON of an alarm."""
    return alarm_body(alarm, server_name="web1", at=NOW)


def command(*argv: str, deadline: timedelta = DEADLINE) -> AlarmCommand:
    """Return the way out that runs this program."""
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | SECRETS
    return AlarmCommand(argv, body=body, environment=environment, deadline=deadline)


def python(code: str, *arguments: str, deadline: timedelta = DEADLINE) -> AlarmCommand:
    """Return the way out that runs this code."""
    return command(sys.executable, "-c", code, *arguments, deadline=deadline)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_the_program_reads_the_alarm(new_loop: object, tmp_path: Path) -> None:
    """As JSON on its standard input, whichever event loop runs."""
    path = tmp_path / "alarm"
    with asyncio.Runner(loop_factory=new_loop) as runner:  # type: ignore[arg-type]  # both are loop factories
        runner.run(python("import sys; open(sys.argv[1], 'w').write(sys.stdin.read())", str(path)).send(an_alarm()))
    assert json.loads(path.read_text())["subject"] == "A relay is down"


async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    """What stands in the settings is a program and its arguments, word by word."""
    path = tmp_path / "$(id) ; x"
    await command("touch", str(path)).send(an_alarm())
    assert [file.name for file in tmp_path.iterdir()] == ["$(id) ; x"]


async def test_no_password_is_handed_on(tmp_path: Path) -> None:
    """The program gets the daemon's environment without its settings and its credentials."""
    path = tmp_path / "environment"
    await python("import os, sys; open(sys.argv[1], 'w').write(' '.join(os.environ))", str(path)).send(an_alarm())
    names = path.read_text().split()
    assert "PATH" in names
    assert not set(names) & set(SECRETS)


async def test_a_program_need_not_read() -> None:
    """An alarm larger than a pipe holds is no error where nobody wants it."""
    await command("true").send(an_alarm(text="x" * 1_000_000))


async def test_a_program_that_fails_is_told_with_what_it_said() -> None:
    """Its status, and the beginning of its output in one line; however much more it prints."""
    code = "import sys; print('no modem\\n' + 'x' * 3_000_000); sys.exit(3)"
    with pytest.raises(AlarmNotSent, match="the command ended with 3: no modem xxx") as fault:
        await python(code).send(an_alarm())
    assert len(str(fault.value)) < SHOWN + 50


async def test_a_program_that_is_not_there_is_told() -> None:
    """The arguments, which may hold secrets, are not repeated."""
    with pytest.raises(AlarmNotSent, match="cannot be run: No such file or directory") as fault:
        await command("/nowhere/pager", "--key=s3cret").send(an_alarm())
    assert "s3cret" not in str(fault.value)


async def test_a_program_that_hangs_is_given_up() -> None:
    """One that never ends holds up the next alarm no longer than the deadline."""
    with pytest.raises(AlarmNotSent, match="the command did not end within"):
        await command("sleep", "600", deadline=timedelta(seconds=0.1)).send(an_alarm())


async def test_a_program_that_is_given_up_is_killed_with_its_children(tmp_path: Path) -> None:
    """Nothing is left behind that could pile up, also when the daemon ends."""
    sign = tmp_path / "sign of life"
    child = f"import time, pathlib\nwhile True: pathlib.Path({str(sign)!r}).write_text('x'); time.sleep(0.01)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
    task = asyncio.create_task(python(code).send(an_alarm()))
    async with asyncio.timeout(30):
        while not sign.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sign.unlink()
    await asyncio.sleep(0.2)
    assert not sign.exists()
