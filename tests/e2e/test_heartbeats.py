"""Dead man's switches, from the ping to the mail, with the real daemon."""

import json
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail
from tests.support.waiting import until

SECONDS = "period=1s&grace=1s"


def subjects(relay: ScriptedSmtp) -> list[str]:
    """Return the subjects of the mails that the relay took, in order."""
    return [parsed(mail)["Subject"] for mail in relay.mails]


def output_of(mail: StoredMail) -> bytes:
    """Return the attachment of the mail."""
    (attached,) = parsed(mail).iter_attachments()
    return bytes(attached.get_payload(decode=True))


def state_of(daemon: Daemon, name: str) -> str:
    """Return how the heartbeat is."""
    (state,) = [line["state"] for line in daemon.get("/heartbeats").json["heartbeats"] if line["name"] == name]
    return str(state)


def test_silence_is_mailed_and_its_end_with_the_output(tmp_path: Path) -> None:
    """A job that made its heartbeat by its first ping stops, and comes back."""
    with background_relay() as relay, Daemon(tmp_path / "var", **mail_settings(relay.port, server_name="m")) as daemon:
        daemon.start()
        assert daemon.request("POST", f"/heartbeats/backup?{SECONDS}", "4 GB dumped").body == b"OK"
        until(lambda: len(relay.mails) == 1, why=lambda: daemon.lines)
        assert state_of(daemon, "backup") == "overdue"
        assert daemon.request("POST", "/heartbeats/backup/0?period=1d", "dumped again").status == 200
        until(lambda: len(relay.mails) == 2, why=lambda: daemon.lines)
        assert state_of(daemon, "backup") == "up"
    assert subjects(relay) == ["[m] Heartbeat backup is overdue", "[m] Resolved: Heartbeat backup is overdue"]
    assert [output_of(mail) for mail in relay.mails] == [b"4 GB dumped", b"dumped again"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_reported_failure_is_mailed_at_once(tmp_path: Path, method: str) -> None:
    """By the exit code, whatever the client can send; a HEAD has an answer without a body."""
    with background_relay() as relay, Daemon(tmp_path / "var", **mail_settings(relay.port, server_name="m")) as daemon:
        daemon.start()
        answer = daemon.request(method, "/heartbeats/backup/3?period=1d")
        assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else b"OK")
        until(lambda: len(relay.mails) == 1, why=lambda: daemon.lines)
    assert subjects(relay) == ["[m] Heartbeat backup reported failure, exit code 3"]


def test_a_restart_keeps_what_is_known(tmp_path: Path) -> None:
    """After a crash: what was told is not told again, what was silent meanwhile is, and a success is its end."""
    with background_relay() as relay, Daemon(tmp_path / "var", **mail_settings(relay.port, server_name="m")) as daemon:
        daemon.start()
        assert daemon.get("/heartbeats/failing/fail?period=1d").status == 200
        until(lambda: len(relay.mails) == 1, why=lambda: daemon.lines)
        assert daemon.get("/heartbeats/silent?period=2s&grace=1s").status == 200
        daemon.wait_until_idle()
        daemon.kill()
        daemon.start()
        until(lambda: len(relay.mails) == 2, why=lambda: daemon.lines)
        assert daemon.get("/heartbeats/failing").status == 200
        until(lambda: len(relay.mails) == 3, why=lambda: daemon.lines)
    assert subjects(relay) == [
        "[m] Heartbeat failing reported failure",
        "[m] Heartbeat silent is overdue",
        "[m] Resolved: Heartbeat failing reported failure",
    ]


def test_a_watchdog_feeds_one_of_the_settings(tmp_path: Path) -> None:
    """Its alert is a ping, and mailed to nobody, nor is its end; its silence is, with the severity of the settings."""
    watchdog = {"subject": "Watchdog", "severity": "info", "labels": {"alertname": "Watchdog"}}
    table = {
        "name": "prometheus",
        "period": "2s",
        "grace": "1s",
        "severity": "critical",
        "matchers": ['alertname="Watchdog"'],
    }
    with (
        background_relay() as relay,
        Daemon(
            tmp_path / "var", **mail_settings(relay.port, server_name="m", heartbeats=json.dumps([table]))
        ) as daemon,
    ):
        daemon.start()
        taken = daemon.post(watchdog)
        assert taken.status == 202
        assert taken.json["warnings"] == ["taken as a sign of life of heartbeat prometheus; nobody is mailed"]
        assert daemon.get(f"/alerts/{taken.json['id']}").json["state"] == "kept"
        assert state_of(daemon, "prometheus") == "up"
        until(lambda: len(relay.mails) == 1, why=lambda: daemon.lines)
        alert = daemon.get("/alerts").json["alerts"][0]
        assert (alert["subject"], alert["severity"]) == ("Heartbeat prometheus is overdue", "critical")
        ended = daemon.post({**watchdog, "status": "resolved"})
        assert daemon.get(f"/alerts/{ended.json['id']}").json["state"] == "kept"
        assert state_of(daemon, "prometheus") == "overdue"
        daemon.wait_until_idle()
    assert subjects(relay) == ["[m] Heartbeat prometheus is overdue"]


def test_heartbeats_are_listed_and_removed(tmp_path: Path) -> None:
    """One that nobody needs any more tells nothing; a page of another origin can neither ping nor remove."""
    foreign = {"Sec-Fetch-Site": "cross-site"}
    with background_relay() as relay, Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
        daemon.start()
        assert daemon.get("/heartbeats/typo").status == 404
        assert daemon.get("/heartbeats/old?period=1d").status == 200
        for method in ("GET", "DELETE"):
            assert daemon.request(method, "/heartbeats/old", headers=foreign).status == 403
        assert daemon.request("DELETE", "/heartbeats/old").status == 204
        assert daemon.get("/heartbeats").json == {"heartbeats": []}
    assert relay.mails == []
