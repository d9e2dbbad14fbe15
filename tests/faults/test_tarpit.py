"""Relays that speak too slowly, too much, not at all, or not SMTP, and that break what they announce."""

from pathlib import Path

import pytest

from tests.support.background_relay import background_relay
from tests.support.fault_run import FaultRun
from tests.support.smtp_actions import Action, Drop, Flood, Hang, Split

RSS_LIMIT = 200 * 1024 * 1024  # bytes; an idle daemon has half of that
TARPITS: dict[str, Action] = {
    "a-byte-at-a-time": Split("250 2.0.0 ok at last", pause_s=0.3),
    "reply-without-end": Flood(b"250-and then\r\n"),
    "line-without-end": Flood(b"250 " + b"x" * 65536),
}


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("action", TARPITS.values(), ids=TARPITS)
def test_tarpit(tmp_path: Path, step: str, action: Action) -> None:
    """Fault 10: a relay that trickles or never ends a reply is left in time, at any step, and the mail arrives once."""
    with background_relay(**{step: [action]}) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post()
        fault = run.daemon.wait_for_event("relay_fault")
        assert run.daemon.rss_bytes < RSS_LIMIT
        run.settle()
        balance = run.close(relay.mails)
    assert fault["scope"] == "relay"
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (1, 0, 1)


@pytest.mark.parametrize("action", TARPITS.values(), ids=TARPITS)
def test_tarpit_at_the_final_dot(tmp_path: Path, action: Action) -> None:
    """Fault 10: the same at the final dot is ambiguous: sent again, and flagged."""
    with background_relay(DOT=[action]) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post()
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged, len(relay.received)) == (1, 1, 2)


@pytest.mark.parametrize(
    "greeting",
    [
        "554 5.3.2 no service here",
        "421 4.3.2 busy",
        Hang(),
        Drop(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff\x00\r\n",
    ],
    ids=["554", "421", "silent", "closed", "http", "garbage"],
)
def test_greeting(tmp_path: Path, greeting: Action) -> None:
    """Fault 11: a greeting that is a refusal, silence or garbage is the relay's fault: no attempt is charged."""
    with background_relay(GREETING=[greeting] * 2) as relay, FaultRun(tmp_path, relay.port) as run:
        alert = run.post()
        fault = run.daemon.wait_for_event("relay_fault")
        assert run.recipients(alert)[0]["attempts"] == 0
        run.settle()
        assert run.recipients(alert)[0]["attempts"] == 1
        balance = run.close(relay.mails)
    assert fault["scope"] == "relay"
    assert (balance.delivered, balance.flagged) == (1, 0)


@pytest.mark.parametrize(
    "reply",
    [b"250 ok\r\n250 ok\r\n", b"", b"354 go on\r\n"],
    ids=["one-too-many", "one-too-few", "of-another-command"],
)
def test_pipelining_that_is_miscounted(tmp_path: Path, reply: bytes) -> None:
    """Fault 24: replies that do not match the pipelined commands are never taken for another one's."""
    settings = {"mail_to": "a@example.org; b@example.org", "relay_connections": 1}
    with background_relay(RCPT=[reply]) as relay, FaultRun(tmp_path, relay.port, **settings) as run:
        run.post_many(3)
        run.settle()
        balance = run.close(relay.mails)
    assert balance.delivered == 6
    assert balance.flagged == 0


def test_pipelining_that_is_not_there(tmp_path: Path) -> None:
    """Fault 24: a relay that announces PIPELINING and throws away what came early gets its mail all the same."""
    with (
        background_relay(forgets_pipelined=True) as relay,
        FaultRun(tmp_path, relay.port, relay_connections=1) as run,
    ):
        run.post_many(3)
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged, len(relay.mails)) == (3, 0, 3)
