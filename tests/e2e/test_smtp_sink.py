"""Mail to Postfix's smtp-sink, which takes all that is thrown at it, or fails at any command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, mail_settings
from tests.support.ports import free_port
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import until

MANY = 300

# RFC 3461 sections 4.1 and 4.2: smtp-sink announces DSN.
DSN = " NOTIFY=FAILURE,DELAY ORCPT=rfc822;ops@example.org"


@pytest.fixture
def port() -> int:
    """Where the sinks of a test listen, one after another."""
    return free_port()


@pytest.fixture
def daemon(tmp_path: Path, port: int) -> Iterator[Daemon]:
    """A running daemon with that relay."""
    with Daemon(tmp_path / "var", **mail_settings(port)) as running:
        yield running.start()


@pytest.mark.parametrize(
    ("options", "protocol"),
    [((), "ESMTP"), (("-p",), "ESMTP"), (("-e",), "SMTP"), (("-P",), "SMTP")],
    ids=["pipelining", "one command at a time", "HELO", "behind a PIX"],
)
def test_a_batch_arrives(tmp_path: Path, port: int, daemon: Daemon, options: tuple[str, ...], protocol: str) -> None:
    """Every alert of a batch arrives once, whatever the relay announces."""
    wanted = {f"alert {number}" for number in range(MANY)}
    with SmtpSink(tmp_path / "mails", *options, port=port) as sink:
        assert daemon.post([{"subject": subject} for subject in sorted(wanted)]).json["accepted"] == MANY
        daemon.wait_until_idle()
        mails = sink.mails()
    assert len(mails) == MANY
    assert {mail["Subject"].partition("] ")[2] for mail in mails} == wanted
    assert {(mail["X-Client-Proto"], mail["X-Rcpt-Args"]) for mail in mails} == {
        (protocol, f"<ops@example.org>{DSN if protocol == 'ESMTP' else ''}")
    }


@pytest.mark.parametrize(
    "options",
    [
        *(
            pytest.param(("-r", command), id=f"4xx to {command}")
            for command in ("EHLO,HELO", "MAIL", "RCPT", "DATA", ".")
        ),
        *(pytest.param(("-q", command), id=f"cut at {command}") for command in ("CONNECT", "MAIL", "DATA")),
        *(pytest.param(("-Q", command), id=f"421 to {command}") for command in ("CONNECT", "RCPT", ".")),
    ],
)
def test_a_passing_fault_costs_no_mail(tmp_path: Path, port: int, daemon: Daemon, options: tuple[str, ...]) -> None:
    """A relay that fails for now at any command gets the mail once it is well again, and gets it once."""
    with SmtpSink(tmp_path / "failing", *options, port=port):
        number = daemon.post({"subject": "patience"}).json["id"]
        _wait_for_a_failure(daemon)
        assert daemon.get(f"/alerts/{number}").json["state"] in {"queued", "sending"}
    with SmtpSink(tmp_path / "well", port=port) as sink:
        assert daemon.stop() == 0  # the drain tries what waits for its retry
        assert [mail["Subject"].partition("] ")[2] for mail in sink.mails()] == ["patience"]


def _wait_for_a_failure(daemon: Daemon) -> None:
    def failed() -> bool:
        return bool(daemon.events("relay_fault") or daemon.events("mail_deferred"))

    until(failed, why=lambda: daemon.lines)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_a_hard_refusal_is_recorded(tmp_path: Path, port: int, daemon: Daemon, command: str) -> None:
    """A 5xx to the mail ends it as failed, with the relay's words; it is not tried again."""
    with SmtpSink(tmp_path / "mails", "-f", command, port=port):
        number = daemon.post({"subject": "unwanted"}).json["id"]
        daemon.wait_until_idle()
    report = daemon.get(f"/alerts/{number}").json
    (recipient,) = report["mails"][0]["recipients"]
    assert (report["state"], recipient["state"], recipient["attempts"]) == ("failed", "refused", 1)
    assert recipient["reply"] == "500 5.3.0 Error: command failed"
