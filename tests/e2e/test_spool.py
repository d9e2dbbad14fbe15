"""Commands that meet no daemon, and the daemon that comes back: nothing is lost, and nothing comes twice."""

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from app.cli.spool import Spool
from app.domain.spooled import SpooledAlert
from tests.support.clock import NOW
from tests.support.daemon import Daemon, mail_settings
from tests.support.mailalert_command import mailalert
from tests.support.ports import free_port
from tests.support.waiting import until


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A shared spool, as systemd-tmpfiles makes it."""
    folder = tmp_path / "spool"
    folder.mkdir()
    folder.chmod(0o3733)
    return folder


def a_daemon(tmp_path: Path, spool: Path, port: int, **settings: object) -> Daemon:
    """Return one that is not started yet; its relay is down, so that every alert stays to be seen."""
    return Daemon(tmp_path / "var", **mail_settings(1, http__port=port, spool_dir=spool, **settings))


def subjects(daemon: Daemon) -> list[str]:
    """Return what the daemon has taken, the newest first."""
    return [alert["subject"] for alert in daemon.get("/alerts").json["alerts"]]


def test_the_daemon_takes_what_was_left_while_it_was_away(tmp_path: Path, spool: Path) -> None:
    """A job that failed meanwhile is told after the start, with its user as source; the spool is empty then."""
    port = free_port()
    environ = {"MAILALERT_URL": f"http://127.0.0.1:{port}", "MAILALERT_SPOOL": str(spool), "MAILALERT_WAIT": "0"}
    assert mailalert("run", "--name", "job", "--", "sh", "-c", "exit 3", home=tmp_path, environ=environ).returncode == 3
    assert mailalert("send", "second", home=tmp_path, environ=environ).returncode == 0
    with a_daemon(tmp_path, spool, port) as daemon:
        daemon.start()
        until(lambda: len(subjects(daemon)) == 2)
        assert subjects(daemon) == ["second", f"job failed with exit code 3 on {os.uname().nodename}"]
        until(lambda: not list(spool.iterdir()))
        newest = daemon.get(f"/alerts/{daemon.get('/alerts').json['alerts'][0]['id']}").json
        assert newest["source"].endswith(f"@{os.uname().nodename}")


def test_a_command_that_waits_gets_through(tmp_path: Path, spool: Path) -> None:
    """A restart of the daemon within the wait costs a pause and makes one alert."""
    port = free_port()
    environ = {"MAILALERT_URL": f"http://127.0.0.1:{port}", "MAILALERT_SPOOL": str(spool)}
    with a_daemon(tmp_path, spool, port) as daemon:
        daemon.spawn()
        assert mailalert("send", "early", home=tmp_path, environ=environ).returncode == 0
        daemon.wait_for_event("listening")
        daemon.port = port
        until(lambda: not list(spool.iterdir()))
        assert subjects(daemon) == ["early"]


@pytest.mark.parametrize("token", ["", "a-token-of-these-tests"], ids=["no token", "token"])
def test_what_was_posted_is_not_taken_from_the_spool_again(tmp_path: Path, spool: Path, token: str) -> None:
    """The answer to a post was lost: the alert is in the spool although the daemon has it."""
    alert = SpooledAlert(key="0" * 32, body=b'{"subject": "once"}', made_at=NOW, receivers=("default", "a b"))
    settings = {"http__token": token} if token else {}
    with a_daemon(tmp_path, spool, 0, **settings) as daemon:
        daemon.start()
        path = "/alerts/native?receiver=default&receiver=a%20b"
        fields = {"Content-Type": "application/json", "Idempotency-Key": alert.key, "Authorization": f"Bearer {token}"}
        assert daemon.request("POST", path, alert.body, fields).status == 202
        Spool(spool, is_shared=True).put(with_token(alert, token))
        until(lambda: not list(spool.iterdir()))
        answer = daemon.get("/alerts", Authorization=f"Bearer {token}").json
        assert [each["subject"] for each in answer["alerts"]] == ["once"]


def with_token(alert: SpooledAlert, token: str) -> SpooledAlert:
    """Return the alert as a client with this token leaves it; one of no token that the daemon asks for, too."""
    fingerprint = sha256(token.encode()).digest() if token else b"f" * 32
    return replace(alert, fingerprint=fingerprint)
