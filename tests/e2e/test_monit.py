"""monit, as people have it: its exec action posts to the daemon with curl."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.daemon import Daemon, mail_settings
from tests.support.own_server import running
from tests.support.requirements import require
from tests.support.scripted_smtp import ScriptedSmtp


@pytest.fixture
def relay() -> Iterator[ScriptedSmtp]:
    with background_relay() as relay:
        yield relay


def notify(folder: Path, url: str) -> Path:
    """Return the script of the exec action: it sends what monit puts into the environment (monit(1))."""
    script = folder / "notify"
    script.write_text(
        textwrap.dedent(
            f"""\
            #!/bin/sh
            exec {require("curl")} -fsS -d subject="$MONIT_SERVICE: $MONIT_EVENT" -d content="$MONIT_DESCRIPTION" \\
                -d source="monit@$MONIT_HOST" -d severity=error -d key="monit/$MONIT_SERVICE" {url}
            """
        )
    )
    script.chmod(0o700)
    return script


def test_a_service_that_fails_is_told(tmp_path: Path, relay: ScriptedSmtp) -> None:
    """A file that is missing becomes a mail with monit's own words."""
    program = require("monit")
    with Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
        daemon.start()
        script = notify(tmp_path, f"http://127.0.0.1:{daemon.port}/alerts")
        control = tmp_path / "monitrc"
        control.write_text(
            f"set daemon 1\nset idfile {tmp_path}/id\nset statefile {tmp_path}/state\nset pidfile {tmp_path}/pid\n"
            f'check file backup with path {tmp_path}/backup\n  if does not exist then exec "{script}"\n'
        )
        control.chmod(0o600)
        with running([program, "-I", "-c", control], tmp_path):
            daemon.wait_for_event("mail_sent")
        alert = daemon.get(f"/alerts/{daemon.get('/alerts').json['alerts'][-1]['id']}").json
    assert alert["subject"] == "backup: Does not exist"
    assert (alert["severity"], alert["key"], alert["source"][:6]) == ("error", "monit/backup", "monit@")
