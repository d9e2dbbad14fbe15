"""A sender for each recipient: as many transactions, and all else as in one."""

import pytest

from app.delivery.track_record import NOT_TAKEN
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.relay import RelayPolicy
from app.protocols.smtp.capabilities import Capabilities
from tests.support.clock import FakeClock
from tests.support.factories import DEFERRED, REFUSED, RELAY_DOWN, SENT
from tests.support.fake_relay import Stale
from tests.support.sending import Sending

TO_EACH = [("box+0@example.org", ("r0@example.org",)), ("box+1@example.org", ("r1@example.org",))]


def sent(sending: Sending) -> list[tuple[str, tuple[str, ...]]]:
    """Return what the relay was told of senders and recipients."""
    return [(mail.sender, mail.recipients) for mail in sending.relay.mails]


@pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "pipelined"])
async def test_each_recipient_has_a_transaction(sending: Sending, pipelining: bool) -> None:
    """Over one connection, in one attempt, with one verdict in the end."""
    sending.relay.capabilities = Capabilities(pipelining=pipelining)
    sending.relay.answers.extend([SENT, REFUSED])
    sending.put_with_senders(2)
    await sending.drain()
    (verdict,) = sending.journal.verdicts
    assert (sent(sending), sending.relay.connects) == (TO_EACH, 1)
    assert [delivery.state for delivery in verdict.deliveries] == [DeliveryState.SENT, DeliveryState.REFUSED]


async def test_the_following_mail_goes_ahead_behind_the_last_of_them(sending: Sending) -> None:
    """Its own first transaction does, and nobody is mixed up with anybody."""
    sending.relay.capabilities = Capabilities(pipelining=True)
    for _ in range(3):
        sending.put_with_senders(2)
    await sending.drain()
    assert (sent(sending), sending.relay.went_ahead) == (TO_EACH * 3, 2)
    assert {verdict.state for verdict in sending.journal.verdicts} == {EnvelopeState.SENT}


async def test_a_connection_that_died_unseen_costs_nobody_the_mail(sending: Sending) -> None:
    """The transaction is said again over a new one, to the same recipient from the same sender."""
    sending.relay.answers.extend([SENT, Stale])
    sending.put_with_senders(2)
    await sending.drain()
    assert (sent(sending), sending.relay.connects) == (TO_EACH, 2)


async def test_who_has_the_mail_keeps_it_when_the_relay_fails(sending: Sending) -> None:
    """The other one gets it as his first attempt, from his own sender."""
    sending.relay.answers.extend([SENT, RELAY_DOWN])
    sending.put_with_senders(2)
    sending.start()
    first, second = await sending.recorded(2)
    assert [(delivery.position, delivery.state) for delivery in first.deliveries] == [(0, DeliveryState.SENT)]
    assert [(delivery.position, delivery.attempts) for delivery in second.deliveries] == [(1, 1)]
    assert sent(sending) == [*TO_EACH, TO_EACH[1]]


async def test_a_mail_that_is_put_off_is_one_mail() -> None:
    """For however many recipients: others leave over the relay, and it does not rest."""
    sending = Sending(policies=[RelayPolicy(connections=1, priority=number) for number in (1, 2)], clock=FakeClock())
    sending.relay.answers.extend([DEFERRED] * NOT_TAKEN)
    sending.put_with_senders(NOT_TAKEN)
    sending.start()
    await sending.recorded()
    sending.put()
    await sending.recorded(2)
    assert sending.link.fault is None
    assert [len(fake.mails) for fake in sending.fakes] == [NOT_TAKEN + 1, 0]
    await sending.end()
