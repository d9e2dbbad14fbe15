"""Icinga, as people have it: its notification command posts to the daemon with curl."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.icinga import icinga
from tests.support.scripted_smtp import ScriptedSmtp


@pytest.fixture
def relay() -> Iterator[ScriptedSmtp]:
    with background_relay() as relay:
        yield relay


def test_a_service_that_fails_and_recovers_makes_two_mails_of_one_thread(tmp_path: Path, relay: ScriptedSmtp) -> None:
    """Its macros tell state, severity and output, and both alerts have one key."""
    with Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
        daemon.start()
        with icinga(tmp_path / "icinga", f"http://127.0.0.1:{daemon.port}/alerts") as done:
            daemon.wait_for_event("mail_sent")
            done.touch()
            daemon.wait_for_event("mail_sent", count=2)
        alerts = [daemon.get(f"/alerts/{line['id']}").json for line in daemon.get("/alerts").json["alerts"]]
    resolved, firing = alerts
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["key"] == resolved["key"] == "icinga/db1!backup"
    assert (firing["severity"], resolved["severity"]) == ("critical", "critical")
    assert 'BACKUP CRITICAL - too old & "empty"' in firing["content"]
    assert "BACKUP OK - done" in resolved["content"]
    first, second = map(parsed, relay.mails)
    assert first["Subject"].endswith("] Backup on DB 1 is CRITICAL")
    assert second["Subject"].endswith("] Resolved: Backup on DB 1 is CRITICAL")
    assert first["References"] == second["References"]
