"""Replies that divide a mail: some recipients now, some later, some never, some in another transaction."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.background_relay import background_relay
from tests.support.fault_run import FaultRun
from tests.support.scripted_smtp import CAPABILITIES
from tests.support.smtp_actions import Drop

THREE = "a@example.org; b@example.org; c@example.org"
SEVEN = "; ".join(f"r{number}@example.org" for number in range(7))


def states(run: FaultRun, alert: str) -> list[str]:
    return [recipient["state"] for recipient in run.recipients(alert)]


def test_421_at_the_second_recipient(tmp_path: Path) -> None:
    """Fault 4: 421 at the second of three RCPT ends the session and charges nobody; all three get the mail once."""
    script = {"RCPT": ["250 2.1.5 ok", Drop(b"421 4.3.2 closing\r\n")]}
    with background_relay(**script) as relay, FaultRun(tmp_path, relay.port, mail_to=THREE) as run:
        alert = run.post()
        run.settle()
        assert {recipient["attempts"] for recipient in run.recipients(alert)} == {1}
        assert run.daemon.events("relay_fault")[0]["scope"] == "relay"
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged) == (3, 0)


def test_one_recipient_deferred(tmp_path: Path) -> None:
    """Fault 5: of three recipients one is deferred: the others get the mail now, and only that one is tried again."""
    script = {"RCPT": ["250 ok", "450 4.2.1 try again", "250 ok"]}
    with background_relay(**script) as relay, FaultRun(tmp_path, relay.port, mail_to=THREE) as run:
        alert = run.post()
        run.settle()
        assert [recipient["attempts"] for recipient in run.recipients(alert)] == [1, 2, 1]
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged) == (3, 0)
    assert [mail.recipients for mail in relay.mails] == [("a@example.org", "c@example.org"), ("b@example.org",)]


def test_one_deferred_one_refused(tmp_path: Path) -> None:
    """Fault 5: with one recipient deferred and one refused the third is sent, and only the deferred one tried again."""
    script = {"RCPT": ["250 ok", "450 4.2.1 try again", "550 5.1.1 no such user"]}
    with background_relay(**script) as relay, FaultRun(tmp_path, relay.port, mail_to=THREE) as run:
        alert = run.post()
        run.settle()
        assert states(run, alert) == ["sent", "sent", "refused"]
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead) == (2, 1)
    assert relay.commands.count("RCPT TO:<c@example.org>") == 1


def test_all_refused_and_data_accepted(tmp_path: Path) -> None:
    """Fault 6: 354 to the DATA that went with refused recipients gets a lone dot, and nothing counts as delivered."""
    script = {"RCPT": ["550 5.1.1 no such user"] * 3, "DATA": ["354 go on"], "DOT": ["250 2.0.0 queued"]}
    settings = {"mail_to": THREE, "relay_connections": 1}
    with background_relay(**script) as relay, FaultRun(tmp_path, relay.port, **settings) as run:
        refused = run.post("unwanted")
        run.wait_for(refused, state="refused")
        wanted = run.post("wanted")
        run.settle()
        assert (states(run, refused), states(run, wanted)) == (["refused"] * 3, ["sent"] * 3)
        balance = run.close(relay.mails)
    assert relay.received[0].wire == b".\r\n"
    assert (balance.delivered, balance.dead, relay.connections) == (3, 3, 1)


def test_refused_at_the_final_dot(tmp_path: Path) -> None:
    """Fault 7: recipients accepted and a final 554 make a dead letter for each, with the relay's words, sent once."""
    script = {"DOT": ["554 5.6.0 content rejected"]}
    with background_relay(**script) as relay, FaultRun(tmp_path, relay.port, mail_to=THREE) as run:
        alert = run.post()
        run.settle()
        assert {recipient["reply"] for recipient in run.recipients(alert)} == {"554 5.6.0 content rejected"}
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead, len(relay.received)) == (0, 3, 1)


class TakesFew:
    """A relay that accepts so many recipients in one transaction, and refuses more with this reply."""

    def __init__(self, count: int, reply: str) -> None:
        self._count = count
        self._reply = reply
        self._accepted = 0

    def mail(self, _: str) -> None:
        self._accepted = 0

    def rcpt(self, _: str) -> str | None:
        self._accepted += 1
        return self._reply if self._accepted > self._count else None


@pytest.mark.parametrize(
    "reply",
    ["452 4.5.3 too many recipients", "452 too many recipients", "552 too many recipients"],
    ids=["452-4.5.3", "452", "552"],
)
def test_too_many_recipients(tmp_path: Path, reply: str) -> None:
    """Fault 9: a list longer than the relay's limit is split over transactions at once; each gets the mail once."""
    limit = TakesFew(3, reply)
    settings = {"mail_to": SEVEN, "relay_connections": 1}
    with (
        background_relay(MAIL=limit.mail, RCPT=limit.rcpt) as relay,
        FaultRun(tmp_path, relay.port, **settings) as run,
    ):
        alert = run.post()
        run.settle()
        assert states(run, alert) == ["sent"] * 7
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged) == (7, 0)
    assert [len(mail.recipients) for mail in relay.mails] == [3, 3, 1]


def test_an_announced_limit_is_kept(tmp_path: Path) -> None:
    """Fault 9: a relay that announces LIMITS RCPTMAX (RFC 9422) is never asked for more in one transaction."""
    limit = TakesFew(3, "550 5.5.3 I told you")
    capabilities = (*CAPABILITIES, "LIMITS RCPTMAX=3")
    settings = {"mail_to": SEVEN, "relay_connections": 1}
    with (
        background_relay(MAIL=limit.mail, RCPT=limit.rcpt, capabilities=capabilities) as relay,
        FaultRun(tmp_path, relay.port, **settings) as run,
    ):
        run.post()
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, [len(mail.recipients) for mail in relay.mails]) == (7, [3, 3, 1])


def test_recipients_after_the_limit_share_one_fate_each(tmp_path: Path) -> None:
    """Fault 9: a refused recipient behind the limit is refused in its own transaction, and costs the rest nothing."""
    limit = TakesFew(2, "452 4.5.3 too many recipients")

    def rcpt(line: str) -> Any:
        return "550 5.1.1 no such user" if "r5@" in line else limit.rcpt(line)

    settings = {"mail_to": SEVEN, "relay_connections": 1}
    with background_relay(MAIL=limit.mail, RCPT=rcpt) as relay, FaultRun(tmp_path, relay.port, **settings) as run:
        alert = run.post()
        run.settle()
        assert states(run, alert) == ["sent"] * 5 + ["refused", "sent"]
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.dead, balance.flagged) == (6, 1, 0)
