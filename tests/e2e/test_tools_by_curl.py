"""The real curl, as the documentation of each tool has it, with nothing changed but the address.

The daemon asks for a token, and the address holds it, as in a tool that knows nothing but an address.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.background_relay import background_relay
from tests.support.curl_commands import COMMANDS, LOG, Expected
from tests.support.daemon import Daemon, mail_settings
from tests.support.mail_trail import MailTrail
from tests.support.requirements import require
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.tool_payloads import PAYLOADS

TOKEN = "a-token-of-these-tests"
HANG = 30  # seconds
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\xff"
CURLRC = "silent\nshow-error\nfail-with-body\n"  # so that the commands need not say it

Curl = Callable[[str], Any]


@pytest.fixture(scope="module")
def relay() -> Iterator[ScriptedSmtp]:
    """A relay that takes everything."""
    with background_relay() as running:
        yield running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, relay: ScriptedSmtp) -> Iterator[Daemon]:
    """A running daemon that asks for a token."""
    settings = mail_settings(relay.port, http__token=TOKEN)
    with Daemon(tmp_path_factory.mktemp("curl") / "var", **settings) as running:
        yield running.start()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where curl runs, with the files that it sends."""
    folder = tmp_path_factory.mktemp("files")
    (folder / ".curlrc").write_text(CURLRC)
    (folder / "backup.log").write_text(LOG)
    (folder / "graph.png").write_bytes(PNG)
    for name in ("grafana-webhook", "healthchecks"):
        (folder / f"{name}.json").write_bytes((PAYLOADS / f"{name}.json").read_bytes())
    return folder


@pytest.fixture(scope="module")
def curl(daemon: Daemon, folder: Path) -> Curl:
    """Run a shell's command line and return the answer; $URL is the address with the token in it, $BARE without it."""
    bare = f"http://127.0.0.1:{daemon.port}/alerts"
    environment = {
        "PATH": f"{Path(require('curl')).parent}:{os.defpath}",
        "CURL_HOME": str(folder),
        "TOKEN": TOKEN,
        "BARE": bare,
        "URL": f"{bare}?token={TOKEN}",
    }

    def run(command: str) -> Any:
        ran = subprocess.run(
            ["/bin/sh", "-uc", command], cwd=folder, env=environment, capture_output=True, timeout=HANG, check=False
        )
        assert ran.returncode == 0, (ran.stdout, ran.stderr)
        return json.loads(ran.stdout)

    return run


@pytest.fixture(scope="module")
def trail(daemon: Daemon, relay: ScriptedSmtp) -> MailTrail:
    """What finds the mails."""
    return MailTrail(daemon, relay, Authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize(("command", "expected"), COMMANDS.values(), ids=COMMANDS.keys())
def test_the_documented_command_makes_a_readable_mail(
    curl: Curl, trail: MailTrail, command: str, expected: Expected
) -> None:
    """It is taken without a warning, and the mail says what was meant."""
    answer = curl(command)
    assert "warnings" not in answer
    found = trail.follow_one(answer)
    told = (found.alert["subject"], found.alert["severity"], found.alert["key"], found.alert["status"])
    assert told == (expected.subject, expected.severity, expected.key, expected.status)
    assert expected.says in found.text
    assert found.files == ({"backup.log": LOG.encode()} if expected.has_log else {})


FILES = {
    "a form": ("curl -F file=@graph.png $URL", "graph.png"),
    "a form with a subject": ('curl -F subject="Graph of db1" -F file=@graph.png $URL', "graph.png"),
    "a body of its type": ('curl -T graph.png -H "Content-Type: image/png" $URL', "attachment-1"),
    "a body without a type": ("curl -T graph.png $URL", "attachment-1"),
    "a body with its name": ('curl -T graph.png -H "Filename: graph.png" $URL', "graph.png"),
}


@pytest.mark.parametrize(("command", "name"), FILES.values(), ids=FILES.keys())
def test_a_file_arrives_as_it_was(curl: Curl, trail: MailTrail, command: str, name: str) -> None:
    """Octets that are no text are attached and not touched, whether or not anything is said of them."""
    assert trail.follow_one(curl(command)).files == {name: PNG}


@pytest.mark.parametrize("kind", ["-H 'Content-Type: application/json'", ""], ids=["typed", "untyped"])
def test_a_value_that_breaks_the_json_costs_a_warning_and_no_alert(curl: Curl, trail: MailTrail, kind: str) -> None:
    """Shell scripts, and Gatus, put values between quotes as they are."""
    said = 'TRIGGERED: core - the check "website" failed'
    answer = curl(f"""curl {kind} -d '{{
  "text": "{said}"
}}' $URL""")
    found = trail.follow_one(answer)
    assert "claims to be JSON and is not" in answer["warnings"][0]
    assert (found.alert["subject"], said in found.text) == (said, True)
