"""Recipients that get no mail any more: no relay hears of them, and the others have their mail as ever."""

from datetime import timedelta

from app.delivery.addressees import SET_ASIDE, addressees
from app.domain.alarm_causes import failure_alarm
from app.domain.alert import Severity
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.outcome import kind_of
from app.domain.rate import Rate
from app.domain.relay import RelayPolicy
from app.protocols.smtp.capabilities import Capabilities
from tests.support.clock import FakeClock
from tests.support.factories import DEFERRED, RELAY_DOWN, an_attachment, many_recipients
from tests.support.sending import Sending

OPS, BOSS = "ops@example.org", "boss@example.org"


def test_who_is_set_aside_waits_for_no_turn() -> None:
    """He is refused at the first attempt at the mail, though it is that of another recipient."""
    mail = many_recipients(3)
    to = addressees(mail, mail.deliveries[:1], lambda address: address == "r2@example.org")
    assert ([delivery.position for delivery in to.asked], to.refused) == ([0], {2: SET_ASIDE})


def test_all_such_refusals_are_of_one_kind() -> None:
    """So that a storm of them is one alarm."""
    assert kind_of(SET_ASIDE.reason) == "set aside"


async def test_the_others_have_their_mail(sending: Sending) -> None:
    """One who is set aside is refused with a remedy, and is never named to the relay."""
    sending.set_aside.add(OPS)
    sending.put()
    await sending.drain()
    (verdict,) = sending.journal.verdicts
    assert [mail.recipients for mail in sending.relay.mails] == [(BOSS,)]
    states = {delivery.position: (delivery.state, delivery.reason) for delivery in verdict.deliveries}
    assert states == {0: (DeliveryState.REFUSED, SET_ASIDE.reason), 1: (DeliveryState.SENT, "")}
    assert verdict.state is EnvelopeState.PARTLY_SENT


async def test_a_mail_to_nobody_else_needs_no_relay(sending: Sending) -> None:
    """It is a dead letter at once, with the alarm that every dead letter has."""
    sending.set_aside |= {OPS, BOSS}
    sending.put()
    await sending.drain()
    (told,) = sending.told
    assert (told[1].state, sending.relay.connects) == (EnvelopeState.FAILED, 0)
    alarm = failure_alarm(*told)
    assert alarm is not None
    assert alarm.cause == "refused: set aside"
    assert "mailalert queue release" in alarm.text


async def test_attachments_are_not_fetched_for_nobody(sending: Sending) -> None:
    """The mail is settled before anything is read or made, and the next one has its place."""
    sending.attachments_fault = OSError("disk")
    sending.set_aside |= {OPS, BOSS}
    sending.put(3, attachments=(an_attachment(),))
    await sending.drain()
    assert [verdict.state for verdict in sending.journal.verdicts] == [EnvelopeState.FAILED] * 3


async def test_such_a_mail_does_not_go_ahead_of_its_turn(sending: Sending) -> None:
    """Behind the content of another one it is settled, and those around it leave."""
    sending.relay.capabilities = Capabilities(pipelining=True)
    sending.set_aside.add(OPS)
    sending.put(subject="before")
    (nobody,) = sending.put(recipients=1)
    sending.put(subject="behind")
    await sending.drain()
    states = {verdict.envelope_id: verdict.state for verdict in sending.journal.verdicts}
    assert states.pop(nobody) is EnvelopeState.FAILED
    assert list(states.values()) == [EnvelopeState.PARTLY_SENT] * 2
    assert [mail.recipients for mail in sending.relay.mails] == [(BOSS,)] * 2


async def test_such_a_mail_counts_towards_no_rate() -> None:
    """What never leaves takes no other mail's place."""
    sending = Sending(policies=[RelayPolicy(rate=Rate(1, timedelta(hours=1)))], clock=FakeClock())
    sending.set_aside.add(OPS)
    sending.put(recipients=1, severity=Severity.CRITICAL)
    sending.put()
    sending.start()
    await sending.recorded(2)
    assert len(sending.relay.mails) == 1
    await sending.end()


async def test_a_fault_of_the_relay_charges_those_who_were_asked_nothing(sending: Sending) -> None:
    """The refusal stands, and the other one gets the mail later as his first attempt."""
    sending.set_aside.add(OPS)
    sending.relay.faults.append(RELAY_DOWN)
    sending.put()
    sending.start()
    first, second = await sending.recorded(2)
    assert [(delivery.position, delivery.state) for delivery in first.deliveries] == [(0, DeliveryState.REFUSED)]
    assert first.state is EnvelopeState.OPEN
    assert [(d.position, d.state, d.attempts) for d in second.deliveries] == [(1, DeliveryState.SENT, 1)]


async def test_who_was_set_aside_while_he_waited_is_asked_no_more(sending: Sending) -> None:
    """Also a mail that was tried before ends there."""
    sending.relay.answers.append(DEFERRED)
    sending.put(recipients=1)
    sending.start()
    await sending.recorded()
    sending.set_aside.add(OPS)
    await sending.drain()
    assert [verdict.state for verdict in sending.journal.verdicts] == [EnvelopeState.OPEN, EnvelopeState.FAILED]
    assert len(sending.relay.mails) == 1
