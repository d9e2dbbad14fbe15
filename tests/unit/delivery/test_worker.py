"""The worker: one mail at a time, each with an outcome, whatever the relay or the mail does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery import worker
from app.delivery.suspects import UNCHARGED_FAULTS
from app.domain.alert import Severity
from app.domain.attachment import Attachment
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.outcome import Deferred, Reply, Scope
from app.domain.rate import Rate
from app.domain.relay import RelayPolicy
from app.protocols.smtp.capabilities import Capabilities
from tests.support.clock import FakeClock
from tests.support.factories import (
    AMBIGUOUS,
    DEFERRED,
    LETTERHEAD,
    REFUSED,
    RELAY_DOWN,
    SENT,
    WRONG_PASSWORD,
    an_attachment,
    many_recipients,
)
from tests.support.fake_relay import TOO_MANY_SESSIONS, DiesAtMail, Hang, Stale
from tests.support.sending import POISON, Sending

ONE_TOO_MANY = Deferred(Scope.RECIPIENT, "too many recipients", Reply(452), too_many_recipients=True)


async def test_a_mail_goes_to_every_recipient(sending: Sending) -> None:
    """The envelope's addresses and the rendered bytes reach the relay, and the outcome reaches the journal."""
    (envelope,) = sending.put(subject="disk full")
    await sending.drain()
    (mail,) = sending.relay.mails
    assert mail.sender == LETTERHEAD.sender.address
    assert mail.recipients == ("ops@example.org", "boss@example.org")
    assert mail.data == b"Subject: disk full\r\n\r\n"
    (verdict,) = sending.journal.verdicts
    assert (verdict.envelope_id, verdict.state) == (envelope, EnvelopeState.SENT)
    assert {delivery.relay for delivery in verdict.deliveries} == {"mx1"}


async def test_one_connection_serves_many_mails(sending: Sending) -> None:
    """It is opened once, and closed at the end."""
    sending.put(20)
    await sending.drain()
    assert len(sending.relay.mails) == 20
    (connection,) = sending.relay.connections
    assert connection.closed


async def test_a_retry_goes_only_to_those_who_wait(sending: Sending) -> None:
    """Who has the mail does not get it twice."""
    sending.relay.answers.extend([(SENT, DEFERRED), SENT])
    sending.put()
    sending.start()
    await sending.recorded()
    sending.clock.pass_time(timedelta(hours=2))
    await sending.drain()
    assert [mail.recipients for mail in sending.relay.mails] == [
        ("ops@example.org", "boss@example.org"),
        ("boss@example.org",),
    ]
    assert sending.journal.open_count == 0


async def test_each_recipient_has_his_own_outcome(sending: Sending) -> None:
    """One bad address does not stop the mail to the others."""
    sending.relay.answers.append((SENT, REFUSED))
    sending.put()
    await sending.drain()
    (verdict,) = sending.journal.verdicts
    assert [delivery.state for delivery in verdict.deliveries] == [DeliveryState.SENT, DeliveryState.REFUSED]


async def test_an_idle_connection_is_closed(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are not kept waiting for nothing; the next mail makes a new one."""
    monkeypatch.setattr(worker, "IDLE_CLOSE", timedelta(milliseconds=1))
    sending.put()
    sending.start()
    await sending.until(lambda: bool(sending.relay.connections) and sending.relay.connections[0].closed)
    sending.put()
    await sending.recorded(2)
    assert sending.relay.connects == 2


# Connections that die


async def test_a_stale_connection_is_replaced_free_of_charge(sending: Sending) -> None:
    """The relay closed it while it was idle: the mail goes out at once over a new one, as its first attempt."""
    sending.put()
    sending.start()
    await sending.recorded()
    sending.relay.answers.append(Stale)
    sending.put()
    verdict = (await sending.recorded(2))[1]
    assert verdict.state is EnvelopeState.SENT
    assert {delivery.attempts for delivery in verdict.deliveries} == {1}
    assert (sending.relay.connects, sending.relay.connections[0].closed) == (2, True)
    assert sending.link.fault is None


async def test_a_stale_connection_to_a_dead_relay_is_a_fault(sending: Sending) -> None:
    """If the new connection cannot be made, the relay rests and the mail waits, uncharged."""
    seen = []
    sending.relay.answers.append(Stale)
    sending.relay.faults.extend([None, RELAY_DOWN])
    sending.relay.on_connect = lambda: seen.append(sending.link.fault)
    sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    assert seen == [None, None, RELAY_DOWN]
    assert {delivery.attempts for delivery in verdict.deliveries} == {1}


async def test_a_connection_that_the_relay_closed_is_not_used(sending: Sending) -> None:
    """A relay that hangs up after each mail gets a new connection for the next."""
    sending.relay.keeps_alive = False
    sending.put(3)
    await sending.drain()
    assert [connection.closed for connection in sending.relay.connections] == [True] * 3
    assert sending.recorder.sent == 3


# Faults of the relay


@pytest.mark.parametrize("fault", [RELAY_DOWN, WRONG_PASSWORD], ids=["relay", "configuration"])
async def test_a_relay_that_cannot_be_reached_costs_no_attempt(sending: Sending, fault: Deferred) -> None:
    """The mail is put back, the breaker opens, and a probe sends it later as its first attempt."""
    sending.relay.faults.extend([fault, fault])
    seen = []
    sending.relay.on_connect = lambda: seen.append(sending.link.fault)
    sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    assert seen == [None, fault, fault]
    assert {delivery.attempts for delivery in verdict.deliveries} == {1}
    assert sending.link.fault is None


async def test_a_relay_that_fails_in_the_dialogue_costs_no_attempt(sending: Sending) -> None:
    """A 421 after the greeting opens the breaker too."""
    sending.relay.answers.append(RELAY_DOWN)
    sending.relay.keeps_alive = False
    sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    assert len(sending.relay.mails) == 2
    assert {delivery.attempts for delivery in verdict.deliveries} == {1}


async def test_a_relay_that_greets_and_then_fails_rests_for_longer_and_longer(sending: Sending) -> None:
    """That its probes succeed is no reason to try it every second; a mail that it answers is."""
    sending.relay.answers.extend([RELAY_DOWN, RELAY_DOWN, REFUSED, RELAY_DOWN])
    sending.relay.keeps_alive = False
    sending.put(2)
    with capture_logs() as logs:
        sending.start()
        await sending.recorded(2)
    assert [line["failures"] for line in logs if line["event"] == "relay_fault"] == [1, 2, 1]


async def test_a_relay_that_fails_half_way_charges_who_was_answered(sending: Sending) -> None:
    """What was said to one recipient counts; the breaker opens for the rest."""
    sending.relay.answers.append((REFUSED, RELAY_DOWN))
    seen = []
    sending.put()
    sending.relay.keeps_alive = False
    sending.relay.on_connect = lambda: seen.append(sending.link.fault)
    sending.start()
    first, second = await sending.recorded(2)
    assert [delivery.position for delivery in first.deliveries] == [0]
    assert [delivery.position for delivery in second.deliveries] == [1]
    assert seen == [None, RELAY_DOWN]


# Poison


async def test_a_poisoned_mail_is_deferred_alone(sending: Sending) -> None:
    """What cannot be rendered does not stop what can."""
    (poisoned,) = sending.put(subject=POISON, severity=Severity.CRITICAL)
    sending.put(3)
    await sending.drain()
    states = {verdict.envelope_id: verdict.state for verdict in sending.journal.verdicts}
    assert states.pop(poisoned) is EnvelopeState.OPEN
    assert set(states.values()) == {EnvelopeState.SENT}
    assert sending.recorder.sent == 3


@pytest.mark.parametrize("attachments", [(), (an_attachment(),)], ids=["light", "heavy"])
async def test_an_address_that_cannot_be_said_stops_its_mail_alone(
    sending: Sending, attachments: tuple[Attachment, ...]
) -> None:
    """A row that was damaged on the disk is no reason to stop sending."""
    mail = sending.make.mail(attachments=attachments, severity=Severity.CRITICAL)
    broken = many_recipients(1, address="a b@example.org")
    sending.journal.put(replace(mail, letterhead=broken.letterhead, deliveries=broken.deliveries))
    sending.put()
    await sending.drain()
    states = [verdict.state for verdict in sending.journal.verdicts]
    assert states == [EnvelopeState.OPEN, EnvelopeState.SENT]


async def test_a_fault_of_the_program_in_the_dialogue_is_got_over(sending: Sending) -> None:
    """Whatever is raised, the worker goes on, and the mail is tried again."""
    sending.relay.answers.append(ZeroDivisionError("a bug"))
    sending.put(2)
    await sending.drain()
    assert [verdict.state for verdict in sending.journal.verdicts] == [EnvelopeState.SENT] * 2


async def test_a_mail_that_makes_the_relay_fail_again_and_again_pays_for_it(sending: Sending) -> None:
    """The third fault in a row after its MAIL was accepted is charged, and the mails behind it leave."""
    sending.relay.answers.extend([RELAY_DOWN] * UNCHARGED_FAULTS)
    (culprit,) = sending.put(severity=Severity.CRITICAL)
    sending.put(2)
    sending.start()
    verdicts = await sending.recorded(3)
    assert [verdict.state for verdict in verdicts] == [EnvelopeState.OPEN, EnvelopeState.SENT, EnvelopeState.SENT]
    assert verdicts[0].envelope_id == culprit
    assert verdicts[0].deliveries[0].attempts == 1


async def test_a_mail_at_which_the_relay_hangs_up_unasked_pays_for_it(sending: Sending) -> None:
    """Before it answers MAIL, perhaps because of the announced size: the third time in a row is charged."""
    sending.relay.answers.extend([DiesAtMail] * UNCHARGED_FAULTS)
    (culprit,) = sending.put()
    sending.put(2)
    sending.start()
    verdicts = await sending.recorded(3)
    assert [verdict.state for verdict in verdicts] == [EnvelopeState.OPEN, EnvelopeState.SENT, EnvelopeState.SENT]
    assert (verdicts[0].envelope_id, verdicts[0].deliveries[0].attempts) == (culprit, 1)


async def test_a_poisoned_mail_says_nothing_about_the_relay(sending: Sending) -> None:
    """It neither opens the breaker nor keeps a relay that is back from being used."""
    sending.link.trip(RELAY_DOWN, 0)
    seen = []
    sending.relay.on_connect = lambda: seen.append(sending.link.fault)
    sending.put(subject=POISON, severity=Severity.CRITICAL)
    sending.put()
    sending.start()
    await sending.recorded(2)
    assert seen == [RELAY_DOWN]
    assert sending.link.fault is None


# Few recipients, few mails


async def test_a_relay_that_has_too_many_recipients_gets_the_rest_at_once(sending: Sending) -> None:
    """In the same attempt, over the same connection; the next mail is split before it is said."""
    sending.relay.answers.append((SENT, ONE_TOO_MANY))
    sending.put(2)
    await sending.drain()
    assert [len(mail.recipients) for mail in sending.relay.mails] == [2, 1, 1, 1]
    assert {delivery.attempts for verdict in sending.journal.verdicts for delivery in verdict.deliveries} == {1}
    assert (sending.relay.connects, sending.recorder.sent) == (1, 2)


async def test_a_relay_that_has_too_many_with_the_first_is_tried_later(sending: Sending) -> None:
    """It is not asked for ever."""
    sending.relay.answers.append((ONE_TOO_MANY, ONE_TOO_MANY))
    sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    assert {(delivery.state, delivery.attempts) for delivery in verdict.deliveries} == {(DeliveryState.PENDING, 1)}
    assert len(sending.relay.mails) == 1


async def test_a_fault_between_two_transactions_leaves_the_rest_uncharged(sending: Sending) -> None:
    """Who has the mail keeps it, and who was not come to gets it as his first attempt."""
    sending.relay.capabilities = Capabilities(max_recipients=1)
    sending.relay.answers.extend([SENT, RELAY_DOWN])
    sending.put()
    sending.start()
    first, second = await sending.recorded(2)
    assert [(delivery.position, delivery.state) for delivery in first.deliveries] == [(0, DeliveryState.SENT)]
    assert [(delivery.position, delivery.attempts) for delivery in second.deliveries] == [(1, 1)]


async def test_who_has_the_mail_keeps_it_when_the_next_connection_cannot_be_opened(sending: Sending) -> None:
    """A connection for each recipient: what the relay took over the first one stays taken, and goes out once."""
    sending.relay.capabilities = Capabilities(max_recipients=1, max_mails=1)
    sending.relay.faults.extend([None, TOO_MANY_SESSIONS])
    sending.put()
    sending.start()
    first, second = await sending.recorded(2)
    assert [(delivery.position, delivery.state) for delivery in first.deliveries] == [(0, DeliveryState.SENT)]
    assert [(delivery.position, delivery.attempts) for delivery in second.deliveries] == [(1, 1)]
    assert [mail.recipients for mail in sending.relay.mails] == [("ops@example.org",), ("boss@example.org",)]


async def test_an_announced_number_of_recipients_is_kept(sending: Sending) -> None:
    """RCPTMAX (RFC 9422): nobody is one too many."""
    sending.relay.capabilities = Capabilities(max_recipients=1)
    sending.put()
    await sending.drain()
    assert [mail.recipients for mail in sending.relay.mails] == [("ops@example.org",), ("boss@example.org",)]
    assert sending.recorder.sent == 1


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (RelayPolicy(connections=1, mails_per_connection=2), None),
        (RelayPolicy(connections=1), 2),
        (RelayPolicy(connections=1, mails_per_connection=50), 2),
        (RelayPolicy(connections=1, mails_per_connection=2), 50),
    ],
    ids=["setting", "MAILMAX", "MAILMAX below the setting", "setting below MAILMAX"],
)
async def test_a_connection_has_only_so_many_mails(policy: RelayPolicy, told: int | None) -> None:
    """Then it is closed in order, and the next one takes over."""
    sending = Sending(policies=[policy])
    sending.relay.capabilities = Capabilities(max_mails=told)
    sending.put(5)
    await sending.drain()
    assert [connection.mails for connection in sending.relay.connections] == [2, 2, 1]
    assert all(connection.closed for connection in sending.relay.connections)


async def test_no_mail_leaves_over_its_rate() -> None:
    """What is too much waits in the queue, and leaves when time has passed."""
    sending = Sending(policies=[RelayPolicy(rate=Rate(40, timedelta(seconds=1)))], clock=FakeClock())
    sending.put(10)
    sending.start()
    await sending.recorded(4)
    await asyncio.sleep(0.01)
    assert len(sending.relay.mails) == 4
    assert not sending.relay.connections[0].closed
    while sending.journal.open_count:
        sending.clock.pass_time(timedelta(seconds=1))
        await asyncio.sleep(0.001)
    await sending.drain()


# Cut off


async def test_a_mail_cut_off_past_its_final_dot_is_ambiguous(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay may have taken it, so the journal knows that before the end."""
    monkeypatch.setattr("app.delivery.sender.DOT_GRACE", timedelta(milliseconds=1))
    hang = Hang(past_final_dot=True)
    sending.relay.answers.append(hang)
    sending.put()
    sending.start()
    await hang.reached.wait()
    await sending.end()
    (verdict,) = sending.journal.verdicts
    assert (verdict.state, verdict.ambiguous) == (EnvelopeState.OPEN, True)
    assert "stopped before the relay confirmed" in verdict.deliveries[0].reason


async def test_a_mail_cut_off_before_its_final_dot_is_as_before(sending: Sending) -> None:
    """Nothing was handed over, so nothing is charged or marked."""
    hang = Hang(past_final_dot=False)
    sending.relay.answers.append(hang)
    sending.put()
    sending.start()
    await hang.reached.wait()
    await sending.end()
    assert sending.journal.verdicts == []
    assert sending.journal.open_count == 1


async def test_a_mail_past_its_final_dot_gets_a_little_longer(sending: Sending) -> None:
    """A reply that comes in the grace after the deadline is an ordinary outcome."""
    hang = Hang(past_final_dot=True)
    sending.relay.answers.append(hang)
    sending.put()
    sending.start()
    await hang.reached.wait()
    asyncio.get_running_loop().call_later(0.01, hang.reply.set)
    await sending.end()
    (verdict,) = sending.journal.verdicts
    assert verdict.state is EnvelopeState.SENT
    assert AMBIGUOUS.reason not in verdict.deliveries[0].reason


async def test_an_outcome_is_noted_before_the_connection_is_closed(sending: Sending) -> None:
    """A mail that was taken is known as sent, though the daemon is cut off while it says QUIT."""
    sending.relay.keeps_alive = False
    sending.relay.may_close.clear()
    sending.put()
    sending.start()
    await sending.relay.closing.wait()
    await sending.end()
    (verdict,) = sending.journal.verdicts
    assert verdict.state is EnvelopeState.SENT
