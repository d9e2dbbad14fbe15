"""`mailalert ack` against the real routes over a journal in memory."""

import getpass
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.ids import format_id, parse_id
from tests.support.mailalert_command import mailalert
from tests.support.routes_daemon import RoutesDaemon, routes_daemon


@pytest.fixture
def daemon() -> Iterator[RoutesDaemon]:
    """A daemon whose journal is empty."""
    with routes_daemon() as server:
        yield server


def put_alert(daemon: RoutesDaemon) -> str:
    """Let an alert be in the journal, and return its id."""
    return format_id(daemon.put().accepted.id)


def last_event(daemon: RoutesDaemon, alert: str) -> AckEvent:
    """Return what the journal holds last of the alert's acknowledgements."""
    report = daemon.loop.run(daemon.site.journal.find(parse_id(alert) or 0))
    assert report is not None
    event: AckEvent = report.acknowledgements[-1]
    return event


def test_an_alert_is_acknowledged(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """Without an end unless one is given, and the record shows that it came by the command."""
    alert = put_alert(daemon)
    done = daemon.run("ack", alert, "--who", "Kim", home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{alert} is acknowledged by Kim\n")
    event = last_event(daemon, alert)
    assert (event.action, event.how, event.who, event.until) == (
        AckAction.ACKNOWLEDGED,
        AckDoor.COMMAND,
        "Kim",
        None,
    )


def test_json_tells_until_when(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """What the daemon answers."""
    alert = put_alert(daemon)
    answer = json.loads(daemon.run("ack", alert, "--for", "2h", "--who", "Kim", "--json", home=tmp_path).stdout)
    assert answer["id"] == alert
    assert (answer["acknowledged"]["who"], answer["acknowledged"]["how"]) == ("Kim", "command")
    assert answer["acknowledged"]["until"] > answer["acknowledged"]["at"]


def test_an_acknowledgement_is_taken_back(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """By whom is on the record too."""
    alert = put_alert(daemon)
    daemon.run("ack", alert, home=tmp_path)
    done = daemon.run("ack", alert, "--undo", "--who", "Kim & Co", home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{alert} is not acknowledged any more\n")
    event = last_event(daemon, alert)
    assert (event.action, event.how, event.who) == (AckAction.TAKEN_BACK, AckDoor.COMMAND, "Kim & Co")


def test_root_is_whoever_called_sudo(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """Or root of this machine: "root" alone would name nobody."""
    alert = put_alert(daemon)
    url = ("--url", f"http://127.0.0.1:{daemon.server_port}")
    mailalert("ack", alert, *url, home=tmp_path, environ={"SUDO_USER": "kim"})
    is_root = os.getuid() == 0
    assert last_event(daemon, alert).who == ("kim" if is_root else getpass.getuser())
    mailalert("ack", alert, *url, home=tmp_path, environ={"SUDO_USER": ""})
    assert last_event(daemon, alert).who == (f"root@{socket.gethostname()}" if is_root else getpass.getuser())


@pytest.mark.parametrize("undo", [[], ["--undo"]], ids=["ack", "undo"])
def test_an_alert_that_is_not_there_ends_with_65(daemon: RoutesDaemon, tmp_path: Path, undo: list[str]) -> None:
    """Also for what is no id at all."""
    done = daemon.run("ack", "no id?x", *undo, home=tmp_path)
    assert done.returncode == 65
    assert b"No alert has this id" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--for", "2"], ["--for", "soon"], ["--for", "2h", "--undo"]],
    ids=["no unit", "no time", "both"],
)
def test_a_wrong_command_line_ends_with_64(daemon: RoutesDaemon, tmp_path: Path, arguments: list[str]) -> None:
    """And the daemon is not asked."""
    assert daemon.run("ack", "0146KBZ9XG001", *arguments, home=tmp_path).returncode == 64
    assert daemon.asked == []


@pytest.mark.parametrize("undo", [[], ["--undo"]], ids=["ack", "undo"])
def test_bytes_that_are_no_text_name_no_alert(daemon: RoutesDaemon, tmp_path: Path, undo: list[str]) -> None:
    """Nor do they end in a traceback."""
    done = daemon.run("ack", os.fsdecode(b"caf\xe9"), "--who", os.fsdecode(b"ann\xe9"), *undo, home=tmp_path)
    assert done.returncode == 65
    assert b"Traceback" not in done.stderr


def test_a_time_that_is_too_long_ends_with_65(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """With what the daemon allows."""
    done = daemon.run("ack", put_alert(daemon), "--for", "900d", home=tmp_path)
    assert done.returncode == 65
    assert b"for: " in done.stderr
