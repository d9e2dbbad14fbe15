"""Prometheus and its Alertmanager, as people have them: their webhook points at the daemon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.prometheus import alertmanager, monitored_disk
from tests.support.scripted_smtp import ScriptedSmtp


@pytest.fixture
def relay() -> Iterator[ScriptedSmtp]:
    with background_relay() as relay:
        yield relay


def test_a_rule_that_fires_and_resolves_makes_two_mails_of_one_thread(tmp_path: Path, relay: ScriptedSmtp) -> None:
    """Subject, severity and links come from the rule, and both alerts have one key."""
    with Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
        daemon.start()
        webhook = f"http://127.0.0.1:{daemon.port}/alerts"
        with alertmanager(tmp_path / "am", webhook) as port, monitored_disk(tmp_path / "prom", port) as disk:
            disk.value = 97
            daemon.wait_for_event("mail_sent")
            disk.value = 10
            daemon.wait_for_event("mail_sent", count=2)
        alerts = [daemon.get(f"/alerts/{line['id']}").json for line in daemon.get("/alerts").json["alerts"]]
    resolved, firing = alerts
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["key"] == resolved["key"] != ""
    assert (firing["severity"], firing["labels"]["alertname"]) == ("critical", "DiskFull")
    assert "97 % used" in firing["content"]
    first, second = map(parsed, relay.mails)
    assert first["Subject"].endswith("] Disk of db1 is full")
    assert second["Subject"].endswith("] Resolved: Disk of db1 is full")
    assert first["References"] == second["References"]
