"""The link: workers wait for their relay together, one probes it, and they come back one after the other."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.delivery.connection import Connection, SendResult
from app.delivery.link import MOST_RECIPIENTS, RelayLink, StillBroken, Turn
from app.delivery.opening import RelayFault
from app.delivery.track_record import LOST_STEPS, NOT_TAKEN, TAKES_NOTHING
from app.domain.outcome import Deferred, Outcome, Reply, Scope
from app.domain.rate import Rate
from app.domain.relay import RelayPolicy
from tests.support.clock import FakeClock
from tests.support.factories import AMBIGUOUS, DEFERRED, REFUSED, RELAY_DOWN, SENT, WRONG_PASSWORD
from tests.support.fake_relay import FakeRelay

MINUTE = timedelta(minutes=1)
HANG = 30  # seconds; a guard only
BUSY = Deferred(Scope.RELAY, "the relay is closing its connections", Reply(421, "too many connections"))
GREYLISTED = Deferred(Scope.RECIPIENT, "greylisted", Reply(450, "later"))


async def let_run() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Workers:
    """Workers of a link, numbered from 0, that wait for their turn."""

    def __init__(self, link: RelayLink) -> None:
        self._link = link
        self._tasks: dict[int, asyncio.Task[Turn]] = {}

    async def wait(self, *numbers: int) -> dict[int, Turn]:
        """Let these wait too; return whose turn has come, and for what."""
        self._tasks |= {number: asyncio.create_task(self._link.turn(number)) for number in numbers}
        await let_run()
        done = {number: task.result() for number, task in self._tasks.items() if task.done()}
        for number in done:
            del self._tasks[number]
        return done

    async def end(self) -> None:
        """Let nobody wait any more."""
        self._link.stop()
        await asyncio.gather(*self._tasks.values())


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def relay() -> FakeRelay:
    """The relay of the link."""
    return FakeRelay()


@pytest.fixture
def link(clock: FakeClock, relay: FakeRelay) -> RelayLink:
    """A link of four connections to a relay that works."""
    return RelayLink(name="mx1", policy=RelayPolicy(connections=4), connect=relay.connect, clock=clock)


@pytest.fixture
async def workers(link: RelayLink) -> AsyncIterator[Workers]:
    """The workers of the link."""
    workers = Workers(link)
    yield workers
    async with asyncio.timeout(HANG):
        await workers.end()


def answered(link: RelayLink, *outcomes: Outcome) -> None:
    """Let the relay answer for a mail."""
    link.answered(SendResult(outcomes, mail_taken_up=True), link.epoch)


def recover(link: RelayLink, clock: FakeClock) -> None:
    """Let a relay that is down be probed, and be back."""
    clock.pass_time(MINUTE)
    link.recovered()


# Turns


async def test_a_relay_that_works_lets_everybody_send(workers: Workers) -> None:
    """No attempt waits for another."""
    assert await workers.wait(0, 1, 2, 3) == dict.fromkeys(range(4), Turn.SEND)


async def test_a_pause_is_kept_and_then_one_probes(link: RelayLink, clock: FakeClock, workers: Workers) -> None:
    """While it rests and while it is probed nobody sends over it."""
    link.trip(RELAY_DOWN, link.epoch)
    assert await workers.wait(0, 1) == {}
    clock.pass_time(MINUTE)
    assert await workers.wait(2, 3) == {2: Turn.PROBE}
    assert link.probing


async def test_a_probe_that_failed_begins_the_next_pause(link: RelayLink, clock: FakeClock, workers: Workers) -> None:
    """The fault is the new one, and each failure counts."""
    link.trip(RELAY_DOWN, link.epoch)
    clock.pass_time(MINUTE)
    await workers.wait(0)
    link.probe_failed(WRONG_PASSWORD)
    assert await workers.wait(0, 1) == {}
    assert (link.fault, link.failures) == (WRONG_PASSWORD, 2)


async def test_a_probe_that_was_cut_off_lets_the_next_one_try(
    link: RelayLink, clock: FakeClock, workers: Workers
) -> None:
    """It says nothing of the relay, and does not close it for good."""
    link.trip(RELAY_DOWN, link.epoch)
    clock.pass_time(MINUTE)
    await workers.wait(0)
    link.probe_abandoned()
    assert await workers.wait(1) == {1: Turn.PROBE}
    assert (link.fault, link.failures) == (RELAY_DOWN, 1)


async def test_a_stopped_link_lets_everybody_go(link: RelayLink, workers: Workers) -> None:
    """Whoever waits is told at once, and so is whoever comes later."""
    link.trip(WRONG_PASSWORD, link.epoch)
    await workers.wait(0, 1)
    link.stop()
    assert await workers.wait(2) == dict.fromkeys(range(3), Turn.END)
    assert not link.may_send(0)


async def test_a_relay_that_stands_by_is_waited_for(link: RelayLink, workers: Workers) -> None:
    """Its workers send from the moment on that it is their relay's turn, and keep no session before."""
    link.set_active(active=False, others_work=True)
    assert await workers.wait(0, 1) == {}
    assert not link.wants(0)
    link.set_active(active=True, others_work=False)
    assert await workers.wait() == dict.fromkeys(range(2), Turn.SEND)


async def test_a_relay_that_stands_by_is_probed_when_it_is_down(
    link: RelayLink, clock: FakeClock, workers: Workers
) -> None:
    """So that it is known whether it could take over."""
    link.trip(RELAY_DOWN, link.epoch)
    link.set_active(active=False, others_work=True)
    clock.pass_time(MINUTE)
    assert await workers.wait(0) == {0: Turn.PROBE}


# How much it bears


async def test_a_relay_that_is_back_gets_one_connection_first(
    link: RelayLink, clock: FakeClock, workers: Workers
) -> None:
    """The others follow as it takes mails."""
    link.trip(RELAY_DOWN, link.epoch)
    recover(link, clock)
    assert await workers.wait(0, 1, 2, 3) == {0: Turn.SEND}
    answered(link, SENT)
    assert await workers.wait() == {1: Turn.SEND}
    for _ in range(6):
        answered(link, SENT)
    assert await workers.wait() == {2: Turn.SEND, 3: Turn.SEND}


@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [(DEFERRED, 2), (GREYLISTED, 4), (AMBIGUOUS, 4), (REFUSED, 4), (SENT, 4)],
    ids=["mail deferred", "recipient deferred", "ambiguous", "refused", "sent"],
)
async def test_a_relay_that_defers_mails_gets_half(link: RelayLink, outcome: Outcome, allowed: int) -> None:
    """A 4xx to the mail is mostly about load; one to a recipient is about his mailbox."""
    answered(link, outcome)
    assert [link.may_send(number) for number in range(4)] == [number < allowed for number in range(4)]


async def test_a_connection_too_many_is_no_fault(link: RelayLink) -> None:
    """A 421 as the greeting beside open sessions says how many the relay bears; the first of them go on."""
    for number in (3, 1, 0):
        link.opened(number)
    assert link.turned_away(BUSY)
    assert [link.wants(number) for number in range(4)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("sessions", "fault"),
    [(0, BUSY), (3, RELAY_DOWN), (3, Deferred(Scope.RELAY, "go away", Reply(554)))],
    ids=["no other session", "no reply", "for good"],
)
async def test_what_is_no_congestion(link: RelayLink, sessions: int, fault: Deferred) -> None:
    """A relay that turns away the only connection, or does not answer, is left alone."""
    for number in range(sessions):
        link.opened(number)
    assert not link.turned_away(fault)
    assert link.wants(3)


async def test_whoever_has_the_only_session_keeps_it(link: RelayLink, workers: Workers) -> None:
    """A relay that bears one session is not asked for another one until that is closed."""
    link.opened(2)
    for _ in range(3):
        assert link.turned_away(BUSY)
    assert await workers.wait(0, 1, 2, 3) == {2: Turn.SEND}
    link.closed(2)
    assert await workers.wait() == {0: Turn.SEND}


async def test_a_rate_limit_makes_everybody_wait(clock: FakeClock, relay: FakeRelay) -> None:
    """No more mails leave than the relay allows, and its sessions are kept meanwhile."""
    policy = RelayPolicy(rate=Rate(60, timedelta(minutes=1)))
    link = RelayLink(name="mx1", policy=policy, connect=relay.connect, clock=clock)
    for _ in range(6):
        assert link.may_send(0)
        link.begin_mail()
    assert not link.may_send(0)
    assert link.wants(0)
    clock.pass_time(timedelta(seconds=1))
    assert await link.turn(0) is Turn.SEND


async def test_a_worker_wakes_when_the_rate_lets_it(clock: FakeClock, relay: FakeRelay) -> None:
    """Nobody has to tell it that time has passed."""
    policy = RelayPolicy(rate=Rate(1000, timedelta(seconds=1)))
    link = RelayLink(name="mx1", policy=policy, connect=relay.connect, clock=clock)
    for _ in range(101):
        link.begin_mail()
    waiting = asyncio.create_task(link.turn(0))
    await asyncio.sleep(0)
    clock.pass_time(timedelta(seconds=1))
    async with asyncio.timeout(HANG):
        assert await waiting is Turn.SEND


async def test_a_relay_that_takes_few_recipients_is_remembered(link: RelayLink) -> None:
    """From then on each mail is split before it is said, and never into nothing."""
    assert link.most_recipients == MOST_RECIPIENTS
    for told, kept in ((30, 30), (50, 30), (0, 1)):
        link.takes_recipients(told)
        assert link.most_recipients == kept


# Opening sessions


async def connected(link: RelayLink, number: int) -> Connection:
    """Open the session of worker `number`, as a courier does."""
    connection = await link.connect()
    link.opened(number)
    return connection


async def test_a_relay_that_bears_no_pipelining_gets_one_command_at_a_time(link: RelayLink, relay: FakeRelay) -> None:
    """Each session is opened as the record says."""
    await link.connect()
    assert relay.pipelines
    for _ in range(LOST_STEPS):
        link.record.note_lost_step(ahead=False)
    await link.connect()
    assert not relay.pipelines


async def test_the_first_session_is_opened_by_one_alone(link: RelayLink, relay: FakeRelay) -> None:
    """Once it is there the others open theirs at once, side by side."""
    relay.may_connect.clear()
    opening = [asyncio.create_task(connected(link, number)) for number in range(4)]
    await let_run()
    assert relay.connecting == 1
    relay.may_connect.set()
    async with asyncio.timeout(HANG):
        await opening[0]
    relay.may_connect.clear()
    await let_run()
    assert (relay.connecting, link.sessions) == (3, 1)
    relay.may_connect.set()
    async with asyncio.timeout(HANG):
        await asyncio.gather(*opening)


async def test_who_waited_for_a_first_session_that_failed_does_not_try(link: RelayLink, relay: FakeRelay) -> None:
    """A wrong password is said once, however many workers have a mail for that relay."""
    relay.faults.extend([WRONG_PASSWORD] * 10)

    async def try_to_open() -> str:
        try:
            await link.connect()
        except RelayFault as fault:
            link.trip(fault.outcome, 0)
            return "tried"
        except StillBroken as broken:
            return f"waited: {broken.fault.reason}"
        return "opened"

    async with asyncio.timeout(HANG):
        tried = await asyncio.gather(*(try_to_open() for _ in range(10)))
    assert tried == ["tried"] + [f"waited: {WRONG_PASSWORD.reason}"] * 9
    assert relay.connects == 1


async def test_a_probe_opens_a_session_to_a_broken_relay(link: RelayLink, relay: FakeRelay) -> None:
    """It is what finds out whether the relay is back."""
    link.trip(RELAY_DOWN, link.epoch)
    with pytest.raises(StillBroken):
        await link.connect()
    await link.connect(is_probe=True)
    assert relay.connects == 1


# Relays that think for long


async def test_a_stalled_session_does_not_count(link: RelayLink, clock: FakeClock, workers: Workers) -> None:
    """A relay that gets one mail at a time, and thinks about it for long, gets another one over another session."""
    link.trip(RELAY_DOWN, link.epoch)
    recover(link, clock)
    link.opened(2)
    assert await workers.wait(0, 1, 2, 3) == {2: Turn.SEND}
    link.stalled(2)
    assert await workers.wait() == {0: Turn.SEND}


async def test_a_session_that_is_answered_counts_again(link: RelayLink, clock: FakeClock) -> None:
    """No more than the relay bears are used, the oldest first."""
    link.trip(RELAY_DOWN, link.epoch)
    recover(link, clock)
    for number in (2, 0):
        link.opened(number)
    link.stalled(2)
    assert [link.wants(number) for number in range(4)] == [True, False, False, False]
    link.resumed(2)
    assert [link.wants(number) for number in range(4)] == [False, False, True, False]


async def test_a_session_that_ends_while_it_stalls_leaves_nothing_behind(link: RelayLink) -> None:
    """The worker's next session counts from the beginning."""
    link.opened(2)
    link.stalled(2)
    link.closed(2)
    link.opened(2)
    assert link.turned_away(BUSY)
    assert link.wants(2)


async def test_a_relay_that_bears_only_a_stalled_session_is_at_fault(link: RelayLink) -> None:
    """Nothing would leave over it before that is answered, so another relay must take over."""
    link.opened(0)
    link.stalled(0)
    assert not link.turned_away(BUSY)


# Mail after mail


async def test_a_relay_that_takes_none_of_the_mails_rests(link: RelayLink, clock: FakeClock) -> None:
    """Five in a row that were lost behind their dot are enough, and after the pause one is."""
    for _ in range(NOT_TAKEN - 1):
        answered(link, AMBIGUOUS)
    assert link.fault is None
    answered(link, AMBIGUOUS)
    assert link.fault == Deferred(Scope.RELAY, TAKES_NOTHING)
    recover(link, clock)
    answered(link, AMBIGUOUS)
    assert (link.fault, link.failures) == (Deferred(Scope.RELAY, TAKES_NOTHING), 2)


async def test_the_only_relay_goes_on_where_it_puts_mails_off(link: RelayLink) -> None:
    """They may be of one kind, and a critical mail must not wait for that; beside another relay it rests."""
    for _ in range(2 * NOT_TAKEN):
        answered(link, DEFERRED)
    assert link.fault is None
    link.set_active(active=True, others_work=True)
    answered(link, DEFERRED)
    assert link.fault == Deferred(Scope.RELAY, TAKES_NOTHING, DEFERRED.reply)


async def test_a_late_answer_from_before_the_pause_is_no_new_fault(link: RelayLink, clock: FakeClock) -> None:
    """Only what began after the relay came back tells that it is still broken."""
    before = link.epoch
    for _ in range(NOT_TAKEN):
        answered(link, AMBIGUOUS)
    recover(link, clock)
    link.answered(SendResult((AMBIGUOUS,), mail_taken_up=True), before)
    assert link.fault is None


# What is said about it


async def test_a_fault_is_logged_once(link: RelayLink) -> None:
    """Four connections that die together make one line, with no secret in it, and so does the recovery."""
    epoch = link.epoch
    with capture_logs() as logs:
        for _ in range(4):
            link.trip(WRONG_PASSWORD, epoch)
        link.recovered()
        link.trip(WRONG_PASSWORD, epoch)
    assert [line["event"] for line in logs] == ["relay_fault", "relay_recovered"]
    assert (logs[0]["scope"], logs[0]["reply"], logs[0]["retry_in_seconds"]) == ("configuration", "535 5.7.8 no", 60)
    assert link.fault is None


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [(SENT, 1), (REFUSED, 1), (GREYLISTED, 1), (DEFERRED, 4), (AMBIGUOUS, 4)],
    ids=["sent", "refused", "recipient deferred", "mail deferred", "ambiguous"],
)
async def test_failures_are_forgotten_by_a_mail_that_was_answered(
    link: RelayLink, clock: FakeClock, outcome: Outcome, failures: int
) -> None:
    """A session that opens, or a mail that is put off or lost, proves little: the pauses go on growing."""
    for count in (1, 2, 3):
        link.trip(RELAY_DOWN, link.epoch)
        assert link.failures == count
        recover(link, clock)
    answered(link, outcome)
    link.trip(RELAY_DOWN, link.epoch)
    assert link.failures == failures


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ((DEFERRED, DEFERRED), "the relay deferred the mail (451 4.3.0 later)"),
        ((SENT, DEFERRED), ""),
        ((REFUSED, REFUSED), ""),
    ],
    ids=["later", "one sent", "refused"],
)
async def test_why_no_mail_leaves_is_told_in_words(link: RelayLink, outcomes: tuple[Outcome, ...], reason: str) -> None:
    """A fault, or a "later" to everybody; an answer that ends the matter for somebody clears it."""
    link.trip(RELAY_DOWN, link.epoch)
    assert link.last_reason == "the relay refuses connections"
    answered(link, *outcomes)
    assert link.last_reason == reason


async def test_whoever_cares_hears_of_each_change(link: RelayLink) -> None:
    """A fault, a probe that failed and a recovery each tell, when it is so already."""
    seen: list[Deferred | None] = []
    link.on_change = lambda: seen.append(link.fault)
    link.trip(RELAY_DOWN, link.epoch)
    link.probe_failed(WRONG_PASSWORD)
    link.recovered()
    assert seen == [RELAY_DOWN, WRONG_PASSWORD, None]


# Draining


async def test_a_drain_probes_at_once_and_the_probe_decides(link: RelayLink, workers: Workers) -> None:
    """A relay that was down gets one more try; if that fails nothing more leaves over it."""
    link.trip(RELAY_DOWN, link.epoch)
    link.drain()
    assert await workers.wait(0, 1) == {0: Turn.PROBE}
    link.probe_failed(RELAY_DOWN)
    assert link.ended
    assert await workers.wait() == {1: Turn.END}


async def test_a_fault_that_is_new_in_the_drain_gets_its_probe(
    link: RelayLink, clock: FakeClock, workers: Workers
) -> None:
    """One that failed before the drain does not count against it."""
    link.trip(RELAY_DOWN, link.epoch)
    link.probe_failed(RELAY_DOWN)
    recover(link, clock)
    link.drain()
    link.trip(RELAY_DOWN, link.epoch)
    assert not link.ended
    clock.pass_time(MINUTE)
    assert await workers.wait(0) == {0: Turn.PROBE}


async def test_a_drain_does_not_probe_wrong_settings(link: RelayLink) -> None:
    """To hammer a wrong password locks the account."""
    link.trip(WRONG_PASSWORD, link.epoch)
    assert not link.ended
    link.drain()
    assert link.ended
    assert await link.turn(0) is Turn.END
