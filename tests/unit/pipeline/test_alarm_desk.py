"""The alarm desk: one alarm of each cause an hour, by every way that works, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from app.domain.errors import JournalUnavailable
from app.pipeline import alarm_desk
from app.pipeline.alarm_desk import MAX_CAUSES, MAX_WAITING, QUIET, AlarmDesk
from tests.support.alarms import NotingSink, an_alarm
from tests.support.clock import NOW, FakeClock

HANG = timedelta(seconds=30)
SOON = timedelta(milliseconds=1)


class Memory:
    """What the journal remembers; it may be out of order or answer never."""

    def __init__(self) -> None:
        self.noted: dict[str, datetime] = {}
        self.fault: Exception | None = None
        self.hangs = False

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Note one alarm."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault:
            raise self.fault
        if cause in self.noted and at - self.noted[cause] < quiet:
            return False
        self.noted[cause] = at
        return True


class Bench:
    """A desk with two ways out."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.memory = Memory()
        self.mail, self.url = NotingSink("mail"), NotingSink("url")
        self.desk = self.new_desk()

    def new_desk(self) -> AlarmDesk:
        """Return a desk that knows only what the journal remembers."""
        return AlarmDesk(sinks=[self.mail, self.url], memory=self.memory, clock=self.clock)

    @asynccontextmanager
    async def running(self, desk: AlarmDesk | None = None) -> AsyncIterator[AlarmDesk]:
        """Let the desk work until all that was raised is out."""
        desk = desk or self.desk
        task = asyncio.create_task(desk.run())
        yield desk
        await desk.finish(within=HANG)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A desk that tries again at once."""
    monkeypatch.setattr(alarm_desk, "RETRY_AFTER", (SOON, SOON))
    return Bench()


async def test_every_way_out_gets_the_alarm(bench: Bench) -> None:
    """All of them at once: nobody knows which one is read."""
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm())
    assert bench.mail.taken == bench.url.taken == [an_alarm()]


async def test_an_alarm_of_before_the_start_is_not_lost(bench: Bench) -> None:
    """What is found while the parts are built is told once they run."""
    bench.desk.raise_alarm(an_alarm())
    async with bench.running():
        pass
    assert bench.mail.taken == [an_alarm()]


async def test_a_storm_of_one_cause_is_one_alarm(bench: Bench) -> None:
    """At most one an hour; the next one tells how many were kept back."""
    async with bench.running() as desk:
        for _ in range(6):
            desk.raise_alarm(an_alarm())
        await desk.finish(within=HANG)
        bench.clock.pass_time(QUIET)
        desk.raise_alarm(an_alarm())
    first, second = bench.mail.taken
    assert first == an_alarm()
    assert second.text.endswith("\n\n5 more of this kind came since the last alarm, and were not told each.")
    assert second.facts == {"kept_back": "5"}


async def test_causes_do_not_silence_each_other(bench: Bench) -> None:
    """Each has an hour of its own."""
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm("relay: mx1"))
        desk.raise_alarm(an_alarm("relay: mx2"))
    assert [alarm.cause for alarm in bench.mail.taken] == ["relay: mx1", "relay: mx2"]


async def test_a_restart_does_not_repeat_an_alarm(bench: Bench) -> None:
    """A daemon in a restart loop is as quiet as one that runs, and counts on."""
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm())
    bench.clock.pass_time(QUIET / 2)
    async with bench.running(bench.new_desk()) as desk:
        desk.raise_alarm(an_alarm())
        await desk.finish(within=HANG)
        bench.clock.pass_time(QUIET / 2)
        desk.raise_alarm(an_alarm())
    assert [dict(alarm.facts) for alarm in bench.mail.taken] == [{}, {"kept_back": "1"}]


async def test_a_clock_that_is_set_back_silences_nothing(bench: Bench) -> None:
    """Within a run the hour is one of monotonic time."""
    bench.memory.fault = JournalUnavailable("disk full")
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm())
        await desk.finish(within=HANG)
        bench.clock.pass_time(QUIET)
        bench.clock.wall = NOW - timedelta(days=1)
        desk.raise_alarm(an_alarm())
    assert len(bench.mail.taken) == 2


async def test_a_journal_that_fails_does_not_silence_the_alarm(bench: Bench) -> None:
    """It may be what the alarm is about; memory still keeps the second one back."""
    bench.memory.fault = OSError("disk I/O error")
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm())
        desk.raise_alarm(an_alarm())
    assert bench.url.taken == [an_alarm()]


async def test_a_journal_that_hangs_does_not_silence_the_alarm(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that never answers is given up soon."""
    monkeypatch.setattr(alarm_desk, "JOURNAL_PATIENCE", SOON)
    bench.memory.hangs = True
    async with bench.running() as desk:
        desk.raise_alarm(an_alarm())
    assert bench.url.taken == [an_alarm()]


@pytest.mark.parametrize(("failures", "taken"), [(2, 1), (3, 0)], ids=["works at last", "given up"])
async def test_a_way_out_that_fails_is_tried_three_times(bench: Bench, failures: int, taken: int) -> None:
    """A receiver that restarts gets its alarm; one that is dead does not hold up the others."""
    bench.url = NotingSink("url", failures=failures)
    async with bench.running(bench.new_desk()) as desk:
        desk.raise_alarm(an_alarm())
    assert (bench.url.tries, len(bench.url.taken), len(bench.mail.taken)) == (3, taken, 1)


async def test_a_way_out_that_is_slow_holds_up_no_other(bench: Bench) -> None:
    """Each has a task of its own."""
    bench.url.may_go_on.clear()
    async with bench.running() as desk:
        for cause in ("a", "b", "c"):
            desk.raise_alarm(an_alarm(cause))
        async with asyncio.timeout(30):
            while len(bench.mail.taken) < 3:
                await asyncio.sleep(0)
        assert bench.url.taken == []
        bench.url.may_go_on.set()
    assert len(bench.url.taken) == 3


async def test_a_defect_in_a_way_out_ends_nothing(bench: Bench) -> None:
    """The next alarm is tried all the same."""

    class Broken(NotingSink):
        async def send(self, alarm: object) -> None:
            self.tries += 1
            raise RuntimeError("a defect")

    broken = Broken()
    desk = AlarmDesk(sinks=[broken, bench.url], memory=bench.memory, clock=bench.clock)
    async with bench.running(desk):
        desk.raise_alarm(an_alarm("a"))
        desk.raise_alarm(an_alarm("b"))
    assert (broken.tries, len(bench.url.taken)) == (2, 2)


async def test_alarms_waiting_are_bounded(bench: Bench) -> None:
    """However many are raised before one is handled, the rest is dropped, and nobody meets an error."""
    for number in range(MAX_WAITING + 10):
        bench.desk.raise_alarm(an_alarm(str(number)))
    async with bench.running():
        pass
    assert [alarm.cause for alarm in bench.mail.taken] == [str(number) for number in range(MAX_WAITING)]


async def test_the_memory_of_causes_is_bounded(bench: Bench) -> None:
    """What relays say can make ever new ones."""
    async with bench.running() as desk:
        for number in range(MAX_CAUSES + 10):
            desk.raise_alarm(an_alarm(str(number)))
            await desk.finish(within=HANG)
    assert len(bench.desk._causes) == MAX_CAUSES


async def test_a_stop_does_not_wait_for_ever(bench: Bench) -> None:
    """A way out that hangs costs the stop no more than it allows."""
    bench.url.may_go_on.clear()
    bench.desk.raise_alarm(an_alarm())
    task = asyncio.create_task(bench.desk.run())
    async with asyncio.timeout(30):
        await bench.desk.finish(within=timedelta(milliseconds=20))
    assert (len(bench.mail.taken), bench.url.taken) == (1, [])
    task.cancel()
    await asyncio.wait([task])
