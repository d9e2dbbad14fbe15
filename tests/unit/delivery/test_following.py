"""The following mail: its envelope goes out ahead, and it is neither lost nor mixed up with the one before."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.delivery.track_record import LOST_STEPS
from app.domain.alert import Severity
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Outcome
from app.domain.rate import Rate
from app.domain.relay import RelayPolicy
from app.domain.verdict import Verdict
from app.protocols.smtp.capabilities import Capabilities
from tests.support.clock import FakeClock
from tests.support.factories import DEFERRED, REFUSED, RELAY_DOWN, SENT, an_attachment
from tests.support.fake_relay import Hang
from tests.support.sending import POISON, Sending

STATES = {id(SENT): EnvelopeState.SENT, id(REFUSED): EnvelopeState.FAILED, id(DEFERRED): EnvelopeState.OPEN}


@pytest.fixture
def overlapping(sending: Sending) -> Sending:
    """A sender with one connection to a relay that has PIPELINING."""
    sending.relay.capabilities = Capabilities(pipelining=True)
    return sending


def states(verdicts: Sequence[Verdict]) -> dict[int, EnvelopeState]:
    """Return where each mail stands."""
    return {verdict.envelope_id: verdict.state for verdict in verdicts}


def subjects(sending: Sending) -> list[str]:
    """Return what the relay got, in order."""
    return [mail.data.decode().split("\r\n")[0].removeprefix("Subject: ") for mail in sending.relay.mails]


async def test_all_mails_go_over_one_connection_in_order(overlapping: Sending) -> None:
    """Each of them ahead of the reply to the one before, critical first."""
    for number in range(10):
        overlapping.put(subject=f"mail {number}")
    overlapping.put(subject="fire", severity=Severity.CRITICAL)
    await overlapping.drain()
    assert subjects(overlapping) == ["fire", *(f"mail {number}" for number in range(10))]
    assert overlapping.relay.connects == 1
    assert overlapping.relay.went_ahead == 10


async def test_each_mail_has_its_own_outcome(overlapping: Sending) -> None:
    """What the relay says of one is never taken for another."""
    answers: list[Outcome] = [SENT, REFUSED, SENT, DEFERRED, SENT]
    overlapping.relay.answers.extend(answers)
    made = overlapping.put(5)
    overlapping.start()
    verdicts = await overlapping.recorded(5)
    assert states(verdicts) == {number: STATES[id(answer)] for number, answer in zip(made, answers, strict=True)}


async def test_a_mail_whose_turn_does_not_come_is_sent_elsewhere(overlapping: Sending) -> None:
    """The relay fails at the mail before: the one behind it is put back, and sent later as its first attempt."""
    overlapping.relay.answers.append(RELAY_DOWN)
    made = overlapping.put(3)
    overlapping.start()
    verdicts = await overlapping.recorded(3)
    assert states(verdicts) == dict.fromkeys(made, EnvelopeState.SENT)
    assert {delivery.attempts for verdict in verdicts for delivery in verdict.deliveries} == {1}
    assert len(overlapping.relay.mails) == 4


async def test_a_mail_that_was_given_back_is_sent_by_another() -> None:
    """While the relay thinks about the one before, another connection takes it."""
    sending = Sending(policies=[RelayPolicy(connections=2)])
    sending.relay.capabilities = Capabilities(pipelining=True)
    slow = Hang(past_final_dot=True, stalls=True)
    sending.relay.answers.append(slow)
    first, second = sending.put(2)
    sending.start()
    (verdict,) = await sending.recorded()
    assert (verdict.envelope_id, verdict.state) == (second, EnvelopeState.SENT)
    slow.reply.set()
    assert states(await sending.recorded(2))[first] is EnvelopeState.SENT
    await sending.drain()
    assert len(sending.relay.mails) == 2


async def test_a_stop_puts_the_following_mail_back(overlapping: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline no new mail is begun, though its envelope has gone out."""
    monkeypatch.setattr("app.delivery.sender.DOT_GRACE", timedelta(seconds=20))
    hang = Hang(past_final_dot=True)
    overlapping.relay.answers.append(hang)
    overlapping.put(2)
    overlapping.start()
    await hang.reached.wait()
    asyncio.get_running_loop().call_later(0.01, hang.reply.set)
    await overlapping.end()
    assert [verdict.state for verdict in overlapping.journal.verdicts] == [EnvelopeState.SENT]
    assert len(overlapping.relay.mails) == 1


async def test_a_poisoned_mail_is_passed_over(overlapping: Sending) -> None:
    """It waits like one that is deferred, and those around it leave."""
    before, poisoned, behind = (overlapping.put(subject=subject)[0] for subject in ("before", POISON, "behind"))
    overlapping.start()
    assert states(await overlapping.recorded(3)) == {
        before: EnvelopeState.SENT,
        poisoned: EnvelopeState.OPEN,
        behind: EnvelopeState.SENT,
    }


async def test_a_mail_with_attachments_does_not_go_ahead(overlapping: Sending) -> None:
    """Its data must be fetched first; it keeps its turn."""
    overlapping.put(subject="light")
    overlapping.put(subject="heavy", attachments=(an_attachment(),))
    overlapping.put(subject="last")
    await overlapping.drain()
    assert subjects(overlapping) == ["light", "heavy", "last"]
    assert overlapping.relay.went_ahead == 1


async def test_a_mail_does_not_go_ahead_over_its_rate() -> None:
    """A limit holds for it too."""
    sending = Sending(policies=[RelayPolicy(connections=1, rate=Rate(10, timedelta(hours=1)))], clock=FakeClock())
    sending.relay.capabilities = Capabilities(pipelining=True)
    sending.put(3)
    sending.start()
    await sending.recorded()
    await asyncio.sleep(0.01)
    assert len(sending.relay.mails) == 1
    await sending.end()


async def test_nothing_goes_ahead_where_the_relay_does_not_bear_it(overlapping: Sending) -> None:
    """It has lost its place too often."""
    for _ in range(LOST_STEPS):
        overlapping.link.record.note_lost_step(ahead=True)
    overlapping.put(5)
    await overlapping.drain()
    assert (len(overlapping.relay.mails), overlapping.relay.went_ahead) == (5, 0)


async def test_nothing_goes_ahead_of_what_the_disk_can_keep(
    overlapping: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mails that were taken and are not recorded stay few."""
    monkeypatch.setattr("app.delivery.recorder.UNRECORDED", 3)
    overlapping.journal.holds_commits = True
    overlapping.put(10)
    overlapping.start()
    await overlapping.recorded(3)
    await asyncio.sleep(0.01)
    assert (len(overlapping.relay.mails), overlapping.relay.went_ahead) == (3, 3)
