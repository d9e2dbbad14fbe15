"""The whole sender towards servers that are at fault themselves: no mail is lost, doubled or burnt on them."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.opening import Timeouts
from app.delivery.track_record import LOST_STEPS, REFUSED_SENDERS, REFUSES_SENDERS
from app.domain.envelope import DeliveryState, EnvelopeState
from tests.support.factories import an_attachment
from tests.support.scripted_sending import put_and_record, sending_to, subjects
from tests.support.scripted_smtp import ScriptedSmtp
from tests.support.smtp_actions import Wait

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
