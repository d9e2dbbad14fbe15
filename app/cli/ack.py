"""`mailalert ack`: say that somebody sees to an alert, or take that back."""

import os
from datetime import datetime
from typing import Any

import click

from app.cli.client import Daemon, client_errors, quoted, read_token
from app.cli.ending import USAGE, fail
from app.cli.options import json_option, url_option
from app.cli.printable import json_text, printable_line, write_lines
from app.domain.duration import parse_duration

HOW = "command"  # as AckDoor in app/domain/acknowledgement.py has it
ROOT = 0


@click.command()
@click.argument("alert", metavar="ID")
@click.option("--for", "time", metavar="TIME", help='For how long, such as "30m", "2h" or "1d"; else until it is over.')
@click.option("--who", metavar="NAME", help="Who sees to it; else the name you are logged in by.")
@click.option("--undo", is_flag=True, help="Take the acknowledgement back.")
@json_option
@url_option
def ack(*, alert: str, time: str | None, who: str | None, undo: bool, as_json: bool, url: str) -> None:
    """Acknowledge the alert ID, which `mailalert queue list` and every mail show: somebody sees to it.

    Until that ends, no delay notice and no further alarm goes out for it. A second one replaces the first. The record
    shows who it was: --who, or the login name; for root the name that sudo was called by, else root@ and this machine.

    Exit codes are those of `send`; 65 means that there is no such alert.
    """
    if time is not None:
        _check_time(time, undo=undo)
    by = {"who": who or login_name(), "how": HOW}
    path = f"/alerts/{quoted(alert)}/ack"
    with client_errors():
        daemon = Daemon(url, read_token())
        if undo:
            answer = daemon.delete(f"{path}?who={quoted(by['who'])}&how={HOW}", wants="acknowledged")
        else:
            answer = daemon.post(path, by | ({"for": time} if time else {}), wants="acknowledged")
    write_lines([json_text(answer) if as_json else sentence(answer)])


def sentence(answer: dict[str, Any]) -> str:
    """Return what the daemon's answer says, in words."""
    held = answer["acknowledged"]
    if not held:
        return printable_line(f"{answer.get('id')} is not acknowledged any more")
    until = f"until {datetime.fromisoformat(held['until']).astimezone():%Y-%m-%d %H:%M}" if held.get("until") else ""
    return printable_line(f"{answer.get('id')} is acknowledged by {held['who']} {until}")


def login_name() -> str:
    """Return who runs the command. It names a colleague and proves nothing: whoever holds the token may say --who."""
    uid = os.getuid()
    if uid == ROOT:
        return os.environ.get("SUDO_USER") or f"root@{_host_name()}"
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container that runs under any number
        return f"{uid}@{_host_name()}"


def _host_name() -> str:
    return os.uname().nodename


def _check_time(time: str, *, undo: bool) -> None:
    if undo:
        fail("--for says how long an acknowledgement holds; --undo ends it now: use one of them", USAGE)
    try:
        parse_duration(time)
    except ValueError as error:
        fail(f"--for {time!r} {error}", USAGE)
