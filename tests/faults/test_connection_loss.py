"""Connections that break: in the middle of the content, past the final dot, while idle, too late."""

import asyncio
import os
import signal
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.fault_run import FaultRun
from tests.support.scripted_smtp import StoredMail
from tests.support.smtp_actions import Action, Delay, Drop, Hang, HangUp
from tests.support.waiting import until

FILE = b64encode(bytes(6_000_000)).decode()  # more than the buffers of a socket hold
KILLS = 3


def message_ids(mails: list[StoredMail]) -> set[bytes]:
    return {line for mail in mails for line in mail.data.split(b"\r\n") if line.startswith(b"Message-ID:")}


@pytest.mark.parametrize(
    "action", [Drop(), Drop(b"421 4.3.0 out of memory\r\n"), Hang()], ids=["cut", "421", "silence"]
)
def test_lost_in_the_middle_of_the_content(tmp_path: Path, action: Action) -> None:
    """Fault 1: a connection that ends in the middle of DATA costs nothing, and the mail arrives once."""
    with background_relay(BODY=[action]) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post(attachments=[{"name": "core", "content": FILE}])
        run.settle()
        assert run.recipients(alert)[0]["possibly_twice"] is False
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (1, 0, 1)


@pytest.mark.parametrize("action", [Drop(takes=True), Hang(), Drop()], ids=["taken", "silence", "not-taken"])
def test_lost_after_the_final_dot(tmp_path: Path, action: Action) -> None:
    """Fault 2: a connection lost after the final dot is ambiguous: resent under the same Message-ID, and flagged."""
    with background_relay(DOT=[action]) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post()
        run.settle()
        recipient = run.recipients(alert)[0]
        balance = run.close(relay.mails)
    assert (recipient["state"], recipient["possibly_twice"], recipient["attempts"]) == ("sent", True, 2)
    assert (balance.delivered, balance.flagged) == (1, 1)
    assert len(relay.received) == 2
    assert len(message_ids(relay.received)) == 1
    assert relay.received[0].wire == relay.received[1].wire


@pytest.mark.parametrize("delay_s", [0.0, 0.0005, 0.002], ids=["with-the-250", "behind-it", "later"])
def test_killed_between_the_reply_and_the_mark(tmp_path: Path, delay_s: float) -> None:
    """Fault 3: kill -9 between the relay's 250 and our mark makes at most one more copy, and that one is flagged."""
    killed: list[int] = []
    with background_relay() as relay, FaultRun(tmp_path, relay.port, relay_connections=1) as run:

        def kill(_: str) -> None:
            pid = run.daemon.pid
            if len(killed) < KILLS and pid not in killed:
                killed.append(pid)
                asyncio.get_running_loop().call_later(delay_s, os.kill, pid, signal.SIGKILL)

        relay.script("DOT", kill)
        run.post_many(20)
        for _ in range(KILLS):
            run.daemon.wait()
            run.daemon.start()
        run.settle()
        balance = run.close(relay.mails)
    assert balance.delivered == 20
    assert len(relay.mails) <= 20 + balance.flagged


@pytest.mark.parametrize("last_words", [b"", b"421 4.4.2 idle for too long\r\n"], ids=["closed", "421"])
def test_ended_by_the_relay_while_idle(tmp_path: Path, last_words: bytes) -> None:
    """Fault 22: a connection that the relay ends while it is idle, with or without 421, costs the next mail nothing."""
    with background_relay(DOT=[HangUp("250 2.0.0 ok", last_words)]) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post("first")
        run.settle()
        until(lambda: relay.open_connections == 0)
        second = run.post("second")
        run.settle()
        assert run.recipients(second)[0]["attempts"] == 1
        assert run.daemon.events("relay_fault") == []
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (2, 0, 2)


def test_a_late_reply_to_a_recipient(tmp_path: Path) -> None:
    """Fault 23: a reply that comes after its time-out is never heard: the connection it was for is not used again."""
    with background_relay(RCPT=[Delay(2.5, "250 2.1.5 at last")]) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post_many(3)
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (3, 0, 3)
    assert relay.commands.count("RSET") == 0


def test_a_late_reply_to_the_final_dot(tmp_path: Path) -> None:
    """Fault 23: a 250 that comes after its time-out is a duplicate that both sides know of, not the next mail's 250."""
    late = [Delay(4.5, "250 2.0.0 at last"), "554 5.6.0 not this one"]
    with background_relay(DOT=late) as relay, FaultRun(tmp_path, relay.port, relay_connections=1) as run:
        first, second = run.post("first"), run.post("second")
        run.settle()
        states = [run.recipients(alert)[0]["state"] for alert in (first, second)]
        balance = run.close(relay.mails)
    assert states == ["sent", "refused"]
    assert (balance.delivered, balance.dead, balance.flagged) == (1, 1, 1)
