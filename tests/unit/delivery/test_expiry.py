"""Expiry: what has waited for the longest life is given up, unless it is just under way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery import expiry as expiry_module
from app.delivery.expiry import Expiry
from app.domain.envelope import DeliveryState, EnvelopeState, QueuedMail
from app.domain.verdict import LONGEST_LIFE, NO_RELAY
from tests.support.fake_relay import Hang
from tests.support.sending import Sending

WEEK = int(LONGEST_LIFE.total_seconds())
HANG = 30  # seconds; a guard only


@pytest.fixture
def expiry(sending: Sending) -> Expiry:
    """The expiry of a daemon that has been running for a week and an hour."""
    return Expiry(
        store=sending.journal,
        queue=sending.queue,
        recorder=sending.recorder,
        clock=sending.clock,
        running_seconds=lambda: WEEK + 3600,
    )


@pytest.fixture
async def sweeping(expiry: Expiry, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """An expiry that sweeps all the time."""
    monkeypatch.setattr(expiry_module, "SWEEP_EVERY", timedelta(milliseconds=1))
    task = asyncio.create_task(expiry.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_has_waited_for_a_week_of_running_is_given_up(sending: Sending, expiry: Expiry) -> None:
    """Each recipient that waits expires, with the reason, and that is told; younger mails go on waiting."""
    (old,), (young,) = sending.put(), sending.put(running_seconds=3601)
    await expiry.sweep()
    (verdict,) = sending.journal.verdicts
    assert (verdict.envelope_id, verdict.state) == (old, EnvelopeState.FAILED)
    assert {(delivery.state, delivery.reason) for delivery in verdict.deliveries} == {(DeliveryState.EXPIRED, NO_RELAY)}
    await sending.until(lambda: bool(sending.told))
    assert sending.journal.entries[young].state is EnvelopeState.OPEN


async def test_all_are_found_page_by_page(sending: Sending, expiry: Expiry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog of a million is not read into memory at once."""
    monkeypatch.setattr(expiry_module, "PAGE", 2)
    made = sending.put(5)
    await expiry.sweep()
    assert [verdict.envelope_id for verdict in sending.journal.verdicts] == made


async def test_more_than_may_be_unrecorded_is_given_up_bit_by_bit(
    sending: Sending, expiry: Expiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep waits for the disk, as the sender does."""
    monkeypatch.setattr("app.delivery.recorder.UNRECORDED", 3)
    sending.journal.holds_commits = True
    sending.put(5)
    sweep = asyncio.create_task(expiry.sweep())
    await sending.recorded(3)
    await asyncio.sleep(0.01)
    assert len(sending.journal.verdicts) == 3
    sending.journal.holds_commits = False
    sending.journal.commits[0].set_result(None)
    await sweep
    assert len(sending.journal.verdicts) == 5


async def test_a_mail_that_is_under_way_is_left_alone(sending: Sending, expiry: Expiry) -> None:
    """Its attempt decides about it."""
    hang = Hang(past_final_dot=False)
    sending.relay.answers.append(hang)
    (envelope,) = sending.put()
    sending.start()
    await hang.reached.wait()
    await expiry.sweep()
    assert sending.journal.verdicts == []
    hang.reply.set()
    (verdict,) = await sending.recorded()
    assert (verdict.envelope_id, verdict.state) == (envelope, EnvelopeState.SENT)


async def test_a_mail_that_is_sent_before_it_is_withdrawn_stays_sent(sending: Sending, expiry: Expiry) -> None:
    """What the sweep has read may be out of date; the queue then holds nothing of it any more."""
    overdue = sending.journal.overdue
    (old,) = sending.put()

    async def sent_meanwhile(*, made_before: int, after: int, limit: int) -> list[QueuedMail]:
        found = await overdue(made_before=made_before, after=after, limit=limit)
        if not sending.journal.verdicts:
            await sending.drain()
        return found

    sending.journal.overdue = sent_meanwhile  # type: ignore[method-assign]  # a journal that takes its time
    await expiry.sweep()
    (verdict,) = sending.journal.verdicts
    assert (verdict.envelope_id, verdict.state) == (old, EnvelopeState.SENT)
    assert sending.queue.withdraw(old)


async def test_what_was_given_up_is_not_sent(sending: Sending, expiry: Expiry) -> None:
    """Though it stood in the queue, and would have been the next."""
    hang = Hang(past_final_dot=False)
    sending.relay.answers.append(hang)
    sending.put(running_seconds=3601)
    sending.start()
    await hang.reached.wait()
    sending.put(3)
    await asyncio.sleep(0.03)
    await expiry.sweep()
    hang.reply.set()
    await sending.drain()
    assert len(sending.journal.verdicts) == 4
    assert len(sending.relay.mails) == 1


async def test_a_sweep_that_fails_is_followed_by_another(sending: Sending, sweeping: None) -> None:
    """The journal may be unreadable for a while."""
    overdue = sending.journal.overdue
    failed = asyncio.Event()

    async def fail_once(*, made_before: int, after: int, limit: int) -> list[QueuedMail]:
        if failed.is_set():
            return await overdue(made_before=made_before, after=after, limit=limit)
        failed.set()
        raise OSError("disk")

    sending.journal.overdue = fail_once  # type: ignore[method-assign]  # a journal that fails once
    with capture_logs() as logs:
        sending.put()
        async with asyncio.timeout(HANG):
            await failed.wait()
        await sending.recorded()
    assert logs[0]["event"] == "expiry_failed"


async def test_a_read_that_fails_keeps_no_mail_back(
    sending: Sending, expiry: Expiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was withdrawn for it can be sent, or expire at the next sweep."""
    (old,) = sending.put()
    reads = iter([[sending.journal.entries[old].mail]])
    with monkeypatch.context() as broken:
        broken.setattr(sending.journal, "overdue", lambda **_: _read(reads))
        with pytest.raises(OSError, match="disk"):
            await expiry.sweep()
    await expiry.sweep()
    assert [verdict.envelope_id for verdict in sending.journal.verdicts] == [old]


async def _read(reads: Iterator[list[QueuedMail]]) -> list[QueuedMail]:
    """Give the next page, and fail when there is none."""
    for page in reads:
        return page
    raise OSError("disk")
