"""Mail that failed is kept, looked at, and sent again or dropped: on the command line, by curl, after a restart."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.background_relay import background_relay
from tests.support.daemon import Daemon, mail_settings
from tests.support.mailalert_command import mailalert
from tests.support.requirements import require
from tests.support.waiting import until

NOBODY = "550 5.1.1 no such user"


def queue(daemon: Daemon, *arguments: str, home: Path) -> str:
    """Return what `mailalert queue` prints."""
    done = mailalert("queue", *arguments, "--url", f"http://127.0.0.1:{daemon.port}", home=home)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def post_and_fail(daemon: Daemon, *subjects: str) -> None:
    """Post alerts whose mails the relay refuses, and return when they have failed."""
    before = len(daemon.get("/dead-letters").json["dead_letters"])
    assert daemon.post([{"subject": subject} for subject in subjects]).status == 202
    until(lambda: len(daemon.get("/dead-letters").json["dead_letters"]) == before + len(subjects))


def test_failed_mail_is_listed_and_sent_again(tmp_path: Path) -> None:
    """Once the mailbox is there, `mailalert queue retry --all` delivers, and nothing is left in the list."""
    with (
        background_relay(RCPT=NOBODY) as relay,
        Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon,
    ):
        daemon.start()
        post_and_fail(daemon, "one", "two", "three")
        listed = queue(daemon, "list", "--state", "failed", home=tmp_path).splitlines()
        assert len(listed) == 3
        assert all(line.endswith("(550 5.1.1), not retried") for line in listed)
        relay.script("RCPT", "250 ok")
        assert queue(daemon, "retry", "--all", home=tmp_path) == "3 are queued again\n"
        until(lambda: len(relay.mails) == 3, why=lambda: daemon.lines)
        daemon.wait_until_idle()
        assert queue(daemon, "list", "--state", "failed", home=tmp_path) == ""


def test_dead_letters_outlive_a_restart_and_a_drop_is_on_the_record(tmp_path: Path) -> None:
    """What was dropped stays to be seen at its alert, and is offered no more."""
    with background_relay(RCPT=NOBODY) as relay:
        with Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
            daemon.start()
            post_and_fail(daemon, "lost")
            assert daemon.stop() == 0
        with Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon:
            daemon.start()
            (letter,) = json.loads(queue(daemon, "list", "--state", "failed", "--json", home=tmp_path))
            assert queue(daemon, "drop", letter["id"], home=tmp_path) == f"{letter['id']} is dropped\n"
            alert = daemon.get(f"/alerts/{letter['alert_id']}").json
            assert alert["state"] == "dropped"
            assert [event["kind"] for event in alert["mails"][0]["events"]] == ["dropped"]
            assert daemon.get("/dead-letters").json["dead_letters"] == []


def test_curl_needs_no_body(tmp_path: Path) -> None:
    """`curl -X POST URL` sends one again; a page of another origin cannot."""
    require("curl")
    with (
        background_relay(RCPT=NOBODY) as relay,
        Daemon(tmp_path / "var", **mail_settings(relay.port)) as daemon,
    ):
        daemon.start()
        post_and_fail(daemon, "again")
        (letter,) = daemon.get("/dead-letters").json["dead_letters"]
        path = f"/dead-letters/{letter['id']}/retry"
        assert daemon.request("POST", path, headers={"Origin": "https://evil.example"}).status == 403
        relay.script("RCPT", "250 ok")
        told = subprocess.run(
            ["curl", "-sS", "-X", "POST", f"http://127.0.0.1:{daemon.port}{path}"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert json.loads(told.stdout) == {"id": letter["id"], "status": "queued"}
        until(lambda: len(relay.mails) == 1, why=lambda: daemon.lines)


def note(file: Path) -> str:
    """Return a command, as the settings take it, that adds each alarm to the file as a line."""
    return shlex.join([sys.executable, "-c", f"import sys; open({str(file)!r}, 'a').write(sys.stdin.read() + '\\n')"])


def told(file: Path) -> list[dict[str, Any]]:
    """Return the alarms that the command has written so far."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_failure_is_told_at_once_and_again_when_the_mail_can_be_retried(tmp_path: Path) -> None:
    """While another recipient waits there is no dead letter yet; then the second alarm says how to send it again."""
    alarms, recipients = tmp_path / "alarms", "bad@example.org; slow@example.org"
    with (
        background_relay(RCPT=lambda line: NOBODY if "bad@" in line else "450 4.2.1 later") as relay,
        Daemon(
            tmp_path / "var", **mail_settings(relay.port, mail_to=recipients, alarm__command=note(alarms))
        ) as daemon,
    ):
        daemon.start()
        alert = daemon.post({"subject": "half"}).json["id"]
        until(lambda: len(told(alarms)) == 1, why=lambda: daemon.lines)
        assert f"GET /alerts/{alert}" in told(alarms)[0]["text"]
        relay.script("RCPT", lambda line: NOBODY if "bad@" in line else None)
        assert daemon.stop() == 0  # a stop tries once more
    assert [mail.recipients for mail in relay.mails] == [("slow@example.org",)]
    assert f"mailalert queue retry {alert}" in told(alarms)[1]["text"]
