"""The whole sender towards servers that are at fault themselves: no mail is lost, doubled or burnt on them."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.opening import Timeouts
from app.delivery.track_record import LOST_STEPS, NOT_TAKEN, REFUSED_SENDERS, REFUSES_SENDERS
from app.domain.alert import Severity
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.login import Login
from app.domain.relay import RelayPolicy
from tests.support.clock import FakeClock
from tests.support.factories import an_attachment
from tests.support.scripted_sending import put_and_record, sending_to, subjects
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Drop, Wait

NAMES = [f"mail {number}" for number in range(6)]


async def test_a_relay_that_bears_no_pipelining_is_spoken_to_one_by_one() -> None:
    """It announces it and forgets what came behind a command: found out, and each mail arrives once, uncharged."""
    async with ScriptedSmtp(forgets_pipelined=True) as server:
        sending = sending_to(server, timeouts=Timeouts(command_s=0.3))
        states = await put_and_record(sending, *NAMES)
        await sending.drain()
    assert states == dict.fromkeys(NAMES, EnvelopeState.SENT)
    assert subjects(server) == NAMES
    assert {d.attempts for verdict in sending.journal.verdicts for d in verdict.deliveries} == {1}
    assert server.connections == 1 + LOST_STEPS


async def test_a_relay_that_refuses_every_sender_does_not_burn_the_queue() -> None:
    """The first mails fail; then it is the relay's fault, and the others wait until that is mended."""
    async with ScriptedSmtp(MAIL="550 5.7.60 not your address") as server:
        sending = sending_to(server)
        sending.put(20)
        sending.start()
        await sending.until(lambda: sending.link.fault is not None)
        assert sending.link.fault is not None
        assert sending.link.fault.reason == REFUSES_SENDERS
        server.script("MAIL", lambda _: None)
        await sending.drain()
    states = [verdict.state for verdict in sending.journal.verdicts]
    assert states.count(EnvelopeState.FAILED) == REFUSED_SENDERS - 1
    assert (len(server.mails), sending.journal.open_count) == (20 - (REFUSED_SENDERS - 1), 0)


async def test_a_mail_too_large_by_the_announced_size_leaves_smaller() -> None:
    """It is never said to the relay, and goes without its attachments at once."""
    async with ScriptedSmtp(capabilities=("PIPELINING", "SIZE 500")) as server:
        sending = sending_to(server)
        sending.put(attachments=(an_attachment(b"x" * 1000),))
        sending.start()
        first, second = await sending.recorded(2)
        await sending.drain()
    assert (first.state, first.without_attachments) == (EnvelopeState.OPEN, True)
    assert second.state is EnvelopeState.SENT
    assert sum(command.startswith("MAIL") for command in server.commands) == 1


async def test_a_stop_in_the_midst_of_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail past its dot is ambiguous; the one begun behind it was never handed over, and nothing is noted of it."""
    monkeypatch.setattr("app.delivery.sender.DOT_GRACE", timedelta(milliseconds=1))
    silent = Wait("250 ok")
    async with ScriptedSmtp(DOT=silent) as server:
        sending = sending_to(server)
        first, second = sending.put(2)
        sending.start()
        await silent.reached.wait()
        await sending.end()
    (verdict,) = sending.journal.verdicts
    assert (verdict.envelope_id, verdict.ambiguous) == (first, True)
    assert {delivery.state for delivery in sending.journal.entries[second].mail.deliveries} == {DeliveryState.PENDING}


async def test_a_421_to_every_mail_is_logged_with_longer_and_longer_pauses() -> None:
    """A relay that greets and takes nothing is left alone more and more."""
    async with ScriptedSmtp(MAIL=["421 4.3.2 not now"] * 3) as server:
        sending = sending_to(server)
        with capture_logs() as logs:
            await put_and_record(sending, "a")
            await sending.drain()
    assert [line["failures"] for line in logs if line["event"] == "relay_fault"] == [1, 2, 3]
    assert subjects(server) == ["a"]


# One transaction or one recipient at a time


@pytest.mark.parametrize("turned_away", [1, 5])
async def test_who_has_the_mail_does_not_get_it_again_when_the_next_connection_is_turned_away(turned_away: int) -> None:
    """With a connection for each recipient (RFC 9422): a 421 as the next greeting takes back nothing."""
    limits = ("PIPELINING", "LIMITS RCPTMAX=1 MAILMAX=1")
    greetings = [None, *["421 4.3.2 too fast"] * turned_away]
    async with ScriptedSmtp(capabilities=limits, GREETING=lambda _: greetings.pop(0) if greetings else None) as server:
        sending = sending_to(server)
        sending.put()
        sending.start()
        await sending.until(lambda: not sending.journal.open_count)
        await sending.drain()
    assert [mail.recipients for mail in server.mails] == [("ops@example.org",), ("boss@example.org",)]
    assert {d.attempts for verdict in sending.journal.verdicts for d in verdict.deliveries} == {1}


@pytest.mark.parametrize("capabilities", [("PIPELINING",), ()], ids=["pipelined", "stop-and-wait"])
@pytest.mark.parametrize("outsider", ["ops", "boss"], ids=["before", "behind"])
async def test_a_login_wanted_for_one_recipient_stops_nothing(outsider: str, capabilities: tuple[str, ...]) -> None:
    """A relay that does not relay for one address wants no other settings: its other mails go on."""

    def rcpt(line: str) -> str | None:
        return "530 5.7.0 authentication required" if f"<{outsider}@" in line else None

    async with ScriptedSmtp(capabilities=capabilities, RCPT=rcpt) as server:
        sending = sending_to(server)
        states = await put_and_record(sending, "a", "b", "c")
        await sending.drain()
    assert states == dict.fromkeys("abc", EnvelopeState.PARTLY_SENT)
    assert (len(server.mails), sending.link.failures) == (3, 0)


# Relays that hang up


async def test_a_relay_that_hangs_up_now_and_then_still_refuses_every_sender() -> None:
    """Connections that break at MAIL do not hide it, and the queue is not burnt."""
    answers = itertools.cycle(["550 5.7.60 no", "550 5.7.60 no", "550 5.7.60 no", Drop()])
    async with ScriptedSmtp(MAIL=lambda _: next(answers)) as server:
        sending = sending_to(server)
        sending.put(40)
        sending.start()
        await sending.until(lambda: sending.link.last_reason.startswith(REFUSES_SENDERS))
        failed = [verdict for verdict in sending.journal.verdicts if verdict.state is EnvelopeState.FAILED]
        await sending.end()
    assert len(failed) == REFUSED_SENDERS - 1


async def test_a_mail_at_which_the_relay_hangs_up_does_not_keep_the_others() -> None:
    """It is charged after a few times, and waits like one that is deferred."""

    def drop_large(line: str) -> Drop | None:
        return Drop() if int(line.rpartition("SIZE=")[2]) > 5000 else None

    async with ScriptedSmtp(MAIL=drop_large) as server:
        sending = sending_to(server, clock=FakeClock(tick=60))
        (culprit,) = sending.put(subject="x" * 5000, severity=Severity.INFO)
        sending.start()
        await sending.until(lambda: sending.link.failures > 0)
        sending.put(10, severity=Severity.INFO)
        sending.put(10, severity=Severity.CRITICAL)
        verdicts = await sending.recorded(21)
        await sending.end()
    assert {verdict.envelope_id for verdict in verdicts if verdict.state is EnvelopeState.OPEN} == {culprit}
    assert len(server.mails) == 20


async def test_a_relay_that_drops_every_mail_behind_its_dot_is_left_alone() -> None:
    """After a few mails, which stay flagged; it is not given the whole queue, round after round."""
    async with ScriptedSmtp(DOT=Drop(takes=True)) as server:
        sending = sending_to(server, clock=FakeClock(tick=60))
        sending.put(50)
        sending.start()
        await sending.until(lambda: sending.link.failures >= 3)
        verdicts = list(sending.journal.verdicts)
        await sending.end()
    assert len(verdicts) == NOT_TAKEN + 2
    assert {(verdict.state, verdict.ambiguous) for verdict in verdicts} == {(EnvelopeState.OPEN, True)}


# Sessions side by side


async def test_a_password_that_is_wrong_is_said_once() -> None:
    """Ten connections, and one AUTH: more of them lock the account."""
    async with ScriptedSmtp(capabilities=("PIPELINING", "AUTH PLAIN"), AUTH="535 5.7.8 no") as server:
        sending = sending_to(server, RelayPolicy(connections=10), login=Login("tim", "secret"), clock=FakeClock())
        sending.put(20)
        sending.start()
        await sending.until(lambda: sending.link.fault is not None)
        await asyncio.sleep(0.05)
        await sending.end()
    assert sum(command.startswith("AUTH") for command in server.commands) == 1
    assert (server.connections, sending.journal.open_count) == (1, 20)
