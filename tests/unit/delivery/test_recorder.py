"""The recorder: the sender does not wait for a commit, and a crash never sends many mails twice."""

import asyncio

import pytest
from structlog.testing import capture_logs

from app.delivery.recorder import UNRECORDED, Recorder
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Outcome
from app.pipeline.queue import MailQueue
from tests.support.clock import FakeClock
from tests.support.factories import AMBIGUOUS, DEFERRED, REFUSED, RELAY_DOWN, SENT, Factory, judged
from tests.support.memory_journal import MemoryJournal
from tests.support.sending import Sending


def a_recorder() -> tuple[MemoryJournal, Recorder]:
    """Return a recorder by itself, and its journal."""
    journal = MemoryJournal()
    queue = MailQueue(store=journal, clock=FakeClock(), most_heavy=2)
    return journal, Recorder(store=journal, queue=queue, on_recorded=lambda _mail, _verdict: None)


async def test_the_sender_does_not_wait_for_a_commit(sending: Sending) -> None:
    """While an outcome is on its way to the disk the next mail is sent."""
    sending.journal.holds_commits = True
    sending.put(5)
    sending.start()
    await sending.recorded(5)
    assert not any(commit.done() for commit in sending.journal.commits)


async def test_what_is_unrecorded_is_bounded(sending: Sending) -> None:
    """With a disk that stands still the sender stops, and goes on as commits come back."""
    sending.journal.holds_commits = True
    sending.put(UNRECORDED + 30)
    sending.start()
    await sending.recorded(UNRECORDED)
    await asyncio.sleep(0.01)
    assert len(sending.relay.mails) == UNRECORDED
    for commit in sending.journal.commits[:10]:
        commit.set_result(None)
    await sending.recorded(UNRECORDED + 10)
    await asyncio.sleep(0.01)
    assert len(sending.relay.mails) == UNRECORDED + 10


async def test_a_mail_is_settled_once_its_outcome_is_durable(sending: Sending) -> None:
    """Until then it cannot be handed out again; a drain waits for it."""
    sending.journal.holds_commits = True
    (envelope,) = sending.put()
    sending.start()
    await sending.recorded()
    sending.sender.drain()
    await asyncio.sleep(0.01)
    assert sending.queue.is_sending(envelope)
    assert (sending.queue.finished, sending.recorder.sent) == (False, 0)
    sending.journal.commits[0].set_result(None)
    await sending.drain()
    assert sending.recorder.sent == 1


async def test_an_outcome_that_cannot_be_recorded_does_not_send_again(sending: Sending) -> None:
    """The mail stays held for this run: to send it again and again would be worse."""
    sending.journal.holds_commits = True
    (envelope,) = sending.put()
    sending.start()
    await sending.recorded()
    sending.journal.entries[envelope].state = EnvelopeState.OPEN  # the journal does not have it
    with capture_logs() as logs:
        sending.journal.commits[0].set_exception(OSError("a poisoned row"))
        sending.queue.wake()
        await asyncio.sleep(0.01)
    assert [line["event"] for line in logs] == ["outcome_not_recorded"]
    assert (len(sending.relay.mails), sending.told) == (1, [])


@pytest.mark.parametrize(
    ("outcomes", "sent"),
    [((SENT, SENT), 1), ((SENT, REFUSED), 1), ((REFUSED, REFUSED), 0), ((SENT, DEFERRED), 0)],
    ids=["sent", "partly sent", "failed", "waits"],
)
async def test_mails_are_counted_when_they_are_finished(
    sending: Sending, outcomes: tuple[Outcome, ...], sent: int
) -> None:
    """The log at the end says how many somebody got."""
    sending.relay.answers.append(outcomes)
    sending.put()
    await sending.drain()
    assert sending.recorder.sent == sent


async def test_a_verdict_is_told_once_it_is_durable(sending: Sending) -> None:
    """An alarm about it names a dead letter that is there to be looked at."""
    sending.journal.holds_commits = True
    sending.relay.answers.append(REFUSED)
    (envelope,) = sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    await asyncio.sleep(0.01)
    assert sending.told == []
    sending.journal.commits[0].set_result(None)
    await sending.until(lambda: bool(sending.told))
    assert [(mail.envelope.id, told) for mail, told in sending.told] == [(envelope, verdict)]


async def test_each_recipient_has_a_line_in_the_log() -> None:
    """One line per outcome, with what is needed to find the mail and nothing of its text."""
    journal, recorder = a_recorder()
    mail = Factory().mail(subject="hunter2", content="hunter2")
    journal.put(mail)
    with capture_logs() as logs:
        recorder.record(mail, judged(mail, [SENT, REFUSED]))
    assert [(line["event"], line["to"], line["log_level"]) for line in logs] == [
        ("mail_sent", "ops@example.org", "info"),
        ("mail_refused", "boss@example.org", "warning"),
    ]
    assert logs[1]["reply"] == "550 5.1.1 no such user"
    assert "hunter2" not in repr(logs)


async def test_an_expired_and_an_ambiguous_mail_are_told_apart() -> None:
    """What nobody may overlook has an event of its own, or a flag."""
    journal, recorder = a_recorder()
    expired, ambiguous = Factory().mail(), Factory().mail()
    journal.put(expired, ambiguous)
    with capture_logs() as logs:
        recorder.record(expired, judged(expired, [DEFERRED, SENT], usable_seconds=10**6))
        recorder.record(ambiguous, judged(ambiguous, [AMBIGUOUS, RELAY_DOWN]))
    assert [(line["event"], line["ambiguous"]) for line in logs] == [
        ("mail_expired", False),
        ("mail_sent", False),
        ("mail_deferred", True),
    ]
