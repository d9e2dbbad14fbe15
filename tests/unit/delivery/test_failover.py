"""Several relays: mail takes the next one at once, and comes back to the first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.track_record import NOT_TAKEN
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Deferred
from app.domain.relay import RelayPolicy
from app.domain.verdict import Verdict
from tests.support.clock import FakeClock
from tests.support.factories import AMBIGUOUS, DEFERRED, RELAY_DOWN, SENT, WRONG_PASSWORD
from tests.support.fake_relay import Hang
from tests.support.sending import Sending

FIRST, SECOND = RelayPolicy(priority=1, connections=2), RelayPolicy(priority=2, connections=2)
Start = Callable[..., Sending]


@pytest.fixture
async def start(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Makes a sender over relays with these policies, whose clock stands still, and ends it with the test."""
    monkeypatch.setattr("app.delivery.link._jitter", lambda: 0.001)  # a waiting probe looks at the clock every ms
    made: list[Sending] = []

    def start(*policies: RelayPolicy) -> Sending:
        made.append(Sending(clock=FakeClock(), policies=policies))
        return made[-1]

    yield start
    for sending in made:
        await sending.end()


def relays_of(verdicts: Sequence[Verdict]) -> list[str]:
    """Return over which relay each mail went."""
    return [verdict.deliveries[0].relay for verdict in verdicts]


async def test_the_next_relay_takes_the_mail_at_once(start: Start) -> None:
    """No attempt is charged for the one that is down."""
    sending = start(FIRST, SECOND)
    sending.fakes[0].faults.extend([RELAY_DOWN] * 1000)
    sending.put(5)
    sending.start()
    verdicts = await sending.recorded(5)
    assert relays_of(verdicts) == ["mx2"] * 5
    assert {delivery.attempts for verdict in verdicts for delivery in verdict.deliveries} == {1}


async def test_a_relay_that_fails_in_the_dialogue_hands_its_mail_over(start: Start) -> None:
    """The mail that it let down goes over the next one too."""
    sending = start(FIRST, SECOND)
    sending.fakes[0].answers.append(RELAY_DOWN)
    sending.put()
    sending.start()
    (verdict,) = await sending.recorded()
    assert (relays_of([verdict]), verdict.deliveries[0].attempts) == (["mx2"], 1)
    assert len(sending.fakes[0].mails) == 1


async def test_mail_comes_back_to_the_first_relay(start: Start) -> None:
    """Once its probe succeeds, and the session with the second one is closed then."""
    sending = start(FIRST, SECOND)
    sending.fakes[0].faults.append(RELAY_DOWN)
    sending.put()
    sending.start()
    await sending.recorded()
    sending.clock.pass_time(timedelta(minutes=1))
    await sending.until(lambda: sending.link.fault is None)
    sending.put(3)
    assert relays_of(await sending.recorded(4)) == ["mx2", "mx1", "mx1", "mx1"]
    sending.put()
    await sending.until(lambda: all(connection.closed for connection in sending.fakes[1].connections))


async def test_a_relay_that_stands_by_is_left_in_peace(start: Start) -> None:
    """While the first one works no session is opened with it."""
    sending = start(FIRST, SECOND)
    sending.put(20)
    await sending.drain()
    assert (len(sending.fakes[0].mails), sending.fakes[1].connects) == (20, 0)


async def test_equals_take_turns(start: Start) -> None:
    """Neither is idle while the other works."""
    sending = start(FIRST, FIRST)
    sending.start()
    for count in range(1, 7):
        sending.put()
        await sending.recorded(count)
        await asyncio.sleep(0.002)
    assert sorted(relays_of(sending.journal.verdicts)) == ["mx1"] * 3 + ["mx2"] * 3


async def test_a_probe_carries_no_mail_and_is_alone() -> None:
    """No mail waits in the hands of a worker whose relay may be dead, and a dead relay sees one knock at a time."""
    sending = Sending(connections=4)
    sending.link.trip(RELAY_DOWN, 0)
    sending.relay.faults.extend([RELAY_DOWN] * 5)
    mails = sending.put(20)
    seen: list[tuple[int, bool]] = []

    def note() -> None:
        if sending.link.fault is not None:
            seen.append((sending.relay.connecting, any(map(sending.queue.is_sending, mails))))

    sending.relay.on_connect = note
    sending.start()
    await sending.recorded(20)
    await sending.drain()
    assert seen == [(1, False)] * 6


async def test_a_fault_of_the_program_in_a_probe_is_got_over(start: Start) -> None:
    """The relay counts as broken, is probed again, and the sender lives."""
    sending = start(FIRST)
    sending.link.trip(RELAY_DOWN, 0)
    sending.relay.on_connect = raise_once(ZeroDivisionError("a bug"))
    sending.put()
    sending.start()
    sending.clock.pass_time(timedelta(minutes=1))
    with capture_logs():
        await sending.until(lambda: sending.link.failures == 2)
        sending.clock.pass_time(timedelta(minutes=1))
        await sending.recorded()


def raise_once(error: Exception) -> Callable[[], None]:
    """Return something that fails when it is called first."""
    errors = [error]

    def call() -> None:
        if errors:
            raise errors.pop()

    return call


async def test_a_relay_that_is_back_gets_one_connection_first(start: Start) -> None:
    """No thundering herd: the others come as mails are taken."""
    sending = start(RelayPolicy(connections=4))
    sending.link.trip(RELAY_DOWN, 0)
    hang = Hang(past_final_dot=False)
    sending.relay.answers.append(hang)
    sending.put(30)
    sending.start()
    sending.clock.pass_time(timedelta(minutes=1))
    await hang.reached.wait()
    await asyncio.sleep(0.01)
    assert (len(sending.relay.mails), sending.link.sessions) == (1, 1)
    rest = [Hang(past_final_dot=False) for _ in range(4)]
    sending.relay.answers.extend([*[SENT] * 20, *rest])
    hang.reply.set()
    await sending.until(lambda: all(last.reached.is_set() for last in rest))
    assert sending.link.sessions == 4
    for last in rest:
        last.reply.set()
    await sending.drain()


@pytest.mark.parametrize("most_sessions", [1, 2, 3])
async def test_a_relay_that_bears_few_sessions_is_content_with_them(start: Start, most_sessions: int) -> None:
    """More are tried now and then, and turned away: that is no fault of the relay, and costs no mail an attempt."""
    sending = start(RelayPolicy(connections=4))
    sending.relay.most_sessions = most_sessions
    sending.start()
    with capture_logs() as logs:
        sending.put(100)
        verdicts = await sending.recorded(100)
    assert {delivery.attempts for verdict in verdicts for delivery in verdict.deliveries} == {1}
    events = {line["event"] for line in logs}
    assert "relay_congested" in events
    assert "relay_fault" not in events


async def test_whoever_probed_goes_on_with_that_session(start: Start) -> None:
    """A relay that is back gets no second session for the first mail."""
    sending = start(RelayPolicy(connections=3))
    sending.relay.most_sessions = 1
    sending.link.trip(RELAY_DOWN, 0)
    sending.start()
    sending.clock.pass_time(timedelta(minutes=1))
    await sending.until(lambda: sending.link.fault is None)
    sending.put()
    await sending.recorded()
    assert sending.relay.connects == 1


async def test_a_wrong_password_is_said_once(start: Start) -> None:
    """Ten workers with a mail each do not lock the account, and neither does the probe a while later."""
    sending = start(RelayPolicy(connections=10))
    sending.relay.faults.extend([WRONG_PASSWORD] * 1000)
    sending.put(20)
    sending.start()
    await sending.until(lambda: sending.link.fault is not None)
    await asyncio.sleep(0.01)
    assert sending.relay.connects == 1
    sending.pass_time(timedelta(minutes=1))
    await sending.until(lambda: sending.link.failures == 2)
    await asyncio.sleep(0.01)
    assert (sending.relay.connects, sending.journal.verdicts) == (2, [])


# Relays that think for long


async def test_mail_goes_past_a_session_that_stalls(start: Start) -> None:
    """A relay that is back gets one mail at a time, but the next does not wait for minutes for that one."""
    sending = start(RelayPolicy(connections=3))
    sending.link.trip(RELAY_DOWN, 0)
    stall = Hang(past_final_dot=True, stalls=True)
    sending.relay.answers.append(stall)
    first, *others = sending.put(5)
    sending.start()
    sending.clock.pass_time(timedelta(minutes=1))
    assert {verdict.envelope_id for verdict in await sending.recorded(4)} == set(others)
    stall.reply.set()
    assert (await sending.recorded(5))[-1].envelope_id == first


async def test_the_next_relay_takes_over_from_one_that_bears_only_the_session_that_stalls(start: Start) -> None:
    """It has turned one away, and is not knocked at again and again."""
    sending = start(FIRST, SECOND)
    sending.fakes[0].most_sessions = 1
    stall = Hang(past_final_dot=True, stalls=True)
    sending.fakes[0].answers.append(stall)
    sending.put(20)
    sending.start()
    verdicts = await sending.recorded(19)
    assert relays_of(verdicts) == ["mx2"] * 19
    assert {delivery.attempts for verdict in verdicts for delivery in verdict.deliveries} == {1}
    assert sending.fakes[0].connects == 2
    stall.reply.set()
    assert relays_of((await sending.recorded(20))[-1:]) == ["mx1"]


# Relays that take nothing


@pytest.mark.parametrize("outcome", [AMBIGUOUS, DEFERRED], ids=["lost behind the dot", "put off"])
async def test_the_next_relay_takes_over_from_one_that_takes_nothing(start: Start, outcome: Deferred) -> None:
    """Five mails in a row are enough; they stay charged, and flagged where they may have been taken."""
    sending = start(RelayPolicy(priority=1, connections=1), SECOND)
    sending.fakes[0].answers.extend([outcome] * 1000)
    sending.put(20)
    sending.start()
    verdicts = await sending.recorded(20)
    assert relays_of(verdicts) == ["mx1"] * NOT_TAKEN + ["mx2"] * (20 - NOT_TAKEN)
    put_off, sent = verdicts[:NOT_TAKEN], verdicts[NOT_TAKEN:]
    assert {(verdict.state, verdict.ambiguous) for verdict in put_off} == {(EnvelopeState.OPEN, outcome.ambiguous)}
    assert {verdict.state for verdict in sent} == {EnvelopeState.SENT}
    assert {delivery.attempts for verdict in verdicts for delivery in verdict.deliveries} == {1}


async def test_a_mail_that_was_put_off_leaves_over_the_relay_that_works(start: Start) -> None:
    """The one that takes nothing still rests when the mails that it had are due again."""
    sending = start(RelayPolicy(priority=1, connections=1), SECOND)
    sending.fakes[0].answers.extend([AMBIGUOUS] * 1000)
    sending.put(NOT_TAKEN)
    sending.start()
    await sending.recorded(NOT_TAKEN)
    sending.pass_time(timedelta(seconds=90))
    verdicts = await sending.recorded(2 * NOT_TAKEN)
    assert relays_of(verdicts[NOT_TAKEN:]) == ["mx2"] * NOT_TAKEN
    assert len(sending.fakes[0].mails) == NOT_TAKEN


async def test_behind_the_pause_one_mail_decides(start: Start) -> None:
    """A relay that still takes nothing gets no five mails again, and one that does gets all of them."""
    sending = start(RelayPolicy(priority=1, connections=1), SECOND)
    sending.fakes[0].answers.extend([DEFERRED] * (NOT_TAKEN + 1))
    sending.put(NOT_TAKEN)
    sending.start()
    await sending.recorded(NOT_TAKEN)
    waiting = NOT_TAKEN
    for over in (["mx1", "mx2", "mx2"], ["mx1", "mx1", "mx1"]):
        sending.pass_time(timedelta(minutes=1))  # what was put off leaves over the second one
        seen = len(await sending.recorded(len(sending.journal.verdicts) + waiting))
        sending.pass_time(timedelta(minutes=5))
        await sending.until(lambda: sending.link.fault is None)
        sending.put(3)
        assert relays_of((await sending.recorded(seen + 3))[seen:]) == over
        waiting = 1


async def test_a_relay_that_rests_is_tried_when_no_other_works(start: Start) -> None:
    """It may be the last that is left, and then it is not left alone for minutes."""
    sending = start(RelayPolicy(priority=1, connections=1), SECOND)
    sending.fakes[0].answers.extend([DEFERRED] * NOT_TAKEN)
    sending.put(NOT_TAKEN)
    sending.start()
    await sending.recorded(NOT_TAKEN)
    sending.fakes[1].faults.extend([RELAY_DOWN] * 1000)
    sending.put()
    assert relays_of((await sending.recorded(NOT_TAKEN + 1))[-1:]) == ["mx1"]


# Draining


async def test_a_drain_sends_over_the_relay_that_works(start: Start) -> None:
    """The one that is dead is probed once, and everything leaves."""
    sending = start(FIRST, SECOND)
    sending.link.trip(RELAY_DOWN, 0)
    sending.fakes[0].faults.extend([RELAY_DOWN] * 1000)
    sending.put(20)
    await sending.drain()
    assert (sending.fakes[0].connects, len(sending.fakes[1].mails)) == (1, 20)


async def test_a_drain_with_every_relay_dead_ends(start: Start) -> None:
    """Each gets one more try; what is left stays in the journal, uncharged."""
    sending = start(FIRST, SECOND)
    for link, fake in zip(sending.links, sending.fakes, strict=True):
        link.trip(RELAY_DOWN, 0)
        fake.faults.extend([RELAY_DOWN] * 1000)
    sending.put(5)
    await sending.drain()
    assert [fake.connects for fake in sending.fakes] == [1, 1]
    assert (sending.journal.open_count, sending.journal.verdicts) == (5, [])


async def test_a_probe_that_gets_no_answer_does_not_hold_up_the_end_of_a_drain(start: Start) -> None:
    """Everything has left over the other relay, so nobody needs to know whether this one is back."""
    sending = start(FIRST, SECOND)
    sending.link.trip(RELAY_DOWN, 0)
    sending.fakes[0].may_connect.clear()
    sending.put(20)
    await sending.drain()
    assert (sending.fakes[0].connects, len(sending.fakes[1].mails)) == (1, 20)
    assert (sending.link.probing, sending.journal.open_count) == (False, 0)
