"""The sender: as many connections as allowed, and an end that is always reached."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.outcome import Deferred
from tests.support.clock import NOW, FakeClock
from tests.support.factories import DEFERRED, RELAY_DOWN, WRONG_PASSWORD
from tests.support.fake_relay import Hang
from tests.support.sending import HANG, Sending

HOUR = timedelta(hours=1)


async def test_no_more_connections_than_allowed() -> None:
    """Mails wait for one of the pool."""
    sending = Sending(connections=3)
    hangs = [Hang(past_final_dot=False) for _ in range(3)]
    sending.relay.answers.extend(hangs)
    sending.put(10)
    sending.start()
    for hang in hangs:
        await hang.reached.wait()
    assert (len(sending.relay.connections), len(sending.relay.mails)) == (3, 3)
    for hang in hangs:
        hang.reply.set()
    await sending.drain()
    assert (len(sending.relay.connections), len(sending.relay.mails)) == (3, 10)


async def test_a_quiet_sender_uses_one_connection() -> None:
    """Mails that come one by one go over the connection that was used last."""
    sending = Sending(connections=4)
    sending.start()
    for count in range(1, 6):
        sending.put()
        await sending.recorded(count)
        await asyncio.sleep(0.002)
    assert len(sending.relay.connections) == 1
    await sending.drain()


async def test_a_drain_tries_waiting_retries_once(sending: Sending) -> None:
    """Ahead of their time, and then it ends, whatever the relay said."""
    sending.relay.answers.extend([DEFERRED, DEFERRED])
    sending.put(2, due_at=NOW + HOUR)
    await sending.drain()
    assert len(sending.relay.mails) == 2
    assert sending.journal.open_count == 2


async def test_a_drain_with_a_dead_relay_ends_after_one_probe(sending: Sending) -> None:
    """A relay that was down gets one more try; everything stays in the journal, uncharged."""
    sending.link.trip(RELAY_DOWN, 0)
    sending.relay.faults.extend([RELAY_DOWN] * 100)
    sending.put(5)
    await sending.drain()
    assert sending.relay.connects == 1
    assert (sending.journal.open_count, sending.journal.verdicts) == (5, [])


async def test_a_drain_with_a_relay_that_has_come_back_sends_everything(sending: Sending) -> None:
    """The probe does not wait for the end of the pause."""
    sending.link.trip(RELAY_DOWN, 0)
    sending.put(5)
    await sending.drain()
    assert sending.journal.open_count == 0


@pytest.mark.parametrize("before", [True, False], ids=["before the drain", "in the drain"])
async def test_a_drain_does_not_hammer_a_wrong_password(sending: Sending, before: bool) -> None:
    """A fault of the settings that is known is not tried again, one that shows up is not tried twice."""
    sending.relay.faults.extend([WRONG_PASSWORD] * 100)
    if before:
        sending.link.trip(WRONG_PASSWORD, 0)
    sending.put(5)
    await sending.drain()
    assert sending.relay.connects == (0 if before else 1)
    assert sending.journal.open_count == 5


@pytest.mark.parametrize("fault", [RELAY_DOWN, WRONG_PASSWORD], ids=["relay", "configuration"])
async def test_workers_that_wait_for_the_relay_end_at_the_deadline(fault: Deferred) -> None:
    """Nobody waits for the end of a pause when the daemon stops."""
    sending = Sending(connections=3, clock=FakeClock())  # the clock stands: the pause never ends
    sending.relay.faults.extend([fault] * 100)
    sending.put(5)
    sending.start()
    await sending.until(lambda: sending.link.fault is not None)
    async with asyncio.timeout(HANG):
        await sending.end()
    assert sending.journal.open_count == 5
