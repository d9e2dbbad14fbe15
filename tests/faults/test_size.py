"""Mails that are too large for the relay: once more without their attachments, else for good."""

from base64 import b64encode
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay, parsed
from tests.support.fault_run import FaultRun
from tests.support.mails import part_of

FILE = {"name": "trace.log", "content_type": "text/plain", "content": b64encode(b"0123456789\n" * 20_000).decode()}
TOO_LARGE = [
    "552 too much mail data",
    "552 5.3.4 too large",
    "550 5.3.4 too large",
    "552 5.2.3 too large for the mailbox",
]


def attachments(mail: EmailMessage) -> list[str | None]:
    return [part.get_filename() for part in mail.iter_attachments()]


@pytest.mark.parametrize("step", ["MAIL", "DATA", "DOT"])
@pytest.mark.parametrize("reply", TOO_LARGE, ids=["552", "552-5.3.4", "550-5.3.4", "552-5.2.3"])
def test_too_large_with_attachments(tmp_path: Path, step: str, reply: str) -> None:
    """Fault 8: a mail that is too large is sent once more without its attachments, as a new message that says so."""
    with background_relay(**{step: [reply]}) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post(attachments=[FILE])
        run.settle()
        (mail,) = run.report(alert)["mails"]
        balance = run.close(relay.mails)
    (arrived,) = map(parsed, relay.mails)
    assert (balance.delivered, balance.flagged) == (1, 0)
    assert (mail["without_attachments"], attachments(arrived)) == (True, [])
    assert "trace.log" in part_of(arrived, "plain")
    if step == "DOT":
        assert parsed(relay.received[0])["Message-ID"] != arrived["Message-ID"]


def test_over_the_announced_size(tmp_path: Path) -> None:
    """Fault 8: a relay that announces a SIZE is not asked for more: the mail goes without its attachments at once."""
    capabilities = ("PIPELINING", "SIZE 100000")
    with background_relay(capabilities=capabilities) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post(attachments=[FILE])
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, len(relay.mails), attachments(parsed(relay.mails[0]))) == (1, 1, [])
    assert sum(line.startswith("MAIL") for line in relay.commands) == 1


@pytest.mark.parametrize("step", ["MAIL", "DATA", "DOT"])
@pytest.mark.parametrize("files", [[], [FILE]], ids=["no-file", "one-file"])
def test_too_large_in_any_case(tmp_path: Path, step: str, files: list[dict[str, str]]) -> None:
    """Fault 8: what is too large without attachments too is a dead letter, and is not tried again."""
    with background_relay(**{step: lambda _: "552 5.3.4 too large"}) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post(attachments=files)
        run.settle()
        assert run.recipients(alert)[0]["state"] == "refused"
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead) == (0, 1)
    assert sum(line.startswith("MAIL") for line in relay.commands) == 1 + len(files)


@pytest.mark.parametrize("reply", ["552 5.2.2 mailbox full", "452 4.2.2 mailbox full"], ids=["552-5.2.2", "452-4.2.2"])
def test_full_mailbox(tmp_path: Path, reply: str) -> None:
    """Fault 8: a full mailbox is tried again for that recipient, and keeps the mail whole."""
    with background_relay(RCPT=[reply]) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post(attachments=[FILE])
        run.settle()
        assert run.recipients(alert)[0]["attempts"] == 2
        balance = run.close(relay.mails)
    assert (balance.delivered, attachments(parsed(relay.mails[0]))) == (1, ["trace.log"])


def test_552_to_the_only_recipient(tmp_path: Path) -> None:
    """Fault 8: 552 to RCPT with nobody accepted before is not about too many of them: it refuses that one."""
    with background_relay(RCPT=["552 exceeded storage allocation"]) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post()
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead) == (0, 1)
