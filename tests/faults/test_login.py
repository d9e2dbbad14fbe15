"""A password that is changed at the relay first, and in our file later."""

from base64 import b64decode
from pathlib import Path

from tests.support.background_relay import background_relay
from tests.support.fault_run import FaultRun
from tests.support.scripted_smtp import CAPABILITIES, ScriptedSmtp
from tests.support.waiting import until

OLD, NEW = "tulip-19", "crocus-20"
MAILS = 50


def only(password: str, line: str) -> str | None:
    """Answer AUTH PLAIN as a relay does that knows one password."""
    said = b64decode(line.split(" ")[2]).decode().rpartition("\0")[2]
    return None if said == password else "535 5.7.8 authentication failed"


def logins(relay: ScriptedSmtp) -> int:
    return sum(line.startswith("AUTH") for line in relay.commands)


def test_a_rotated_password(tmp_path: Path) -> None:
    """Fault 14: 535 after a rotation stops all mail with few tries, and the new file is read without a restart."""
    file = tmp_path / "password"
    file.write_text(f"{OLD}\n")
    file.chmod(0o600)
    with background_relay(capabilities=(*CAPABILITIES, "AUTH PLAIN"), AUTH=lambda line: only(NEW, line)) as relay:
        url = f"smtp://tim@127.0.0.1:{relay.port}"
        with FaultRun(tmp_path, relay.port, relay=url, relay_password_file=file) as run:
            run.post_many(MAILS)
            fault = run.daemon.wait_for_event("relay_fault")
            until(lambda: logins(relay) >= 3)
            tries, health = logins(relay), run.daemon.get("/healthz").json
            file.write_text(f"{NEW}\n")
            run.settle()
            said = "\n".join(run.daemon.lines)
            balance = run.close(relay.mails)
    assert (fault["scope"], fault["reply"][:3]) == ("configuration", "535")
    assert tries <= 4, "the password was tried in parallel, or without a pause"
    assert health["status"] == "degraded"
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (MAILS, 0, MAILS)
    assert OLD not in said
    assert NEW not in said


def test_one_relay_that_answers_535(tmp_path: Path) -> None:
    """Fault 14: a wrong password keeps every mail in the journal, with no attempt charged, and expires none."""
    with background_relay(capabilities=(*CAPABILITIES, "AUTH PLAIN"), AUTH=lambda line: only(NEW, line)) as relay:
        url = f"smtp://tim@127.0.0.1:{relay.port}"
        with FaultRun(tmp_path, relay.port, relay=url, relay_password=OLD, lifetime="1m") as run:
            alert = run.post()
            until(lambda: logins(relay) >= 3)
            recipient = run.recipients(alert)[0]
            balance = run.close(relay.mails)
    assert (recipient["state"], recipient["attempts"]) == ("pending", 0)
    assert (balance.queued, relay.received) == (1, [])
