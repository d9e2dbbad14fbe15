"""The watch: says in time what is wrong, for as long as it lasts."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.domain.alarm import Alarm
from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.vitals import RelayVitals
from app.pipeline import watch
from app.pipeline.watch import CRITICAL_WAIT, LONG_WAIT, Watch
from tests.support.clock import NOW, FakeClock
from tests.support.factories import Factory

MINUTE = timedelta(minutes=1)
PATIENCE = timedelta(minutes=5)
WORKS = RelayVitals(name="mx2", usable=True)
NO_LOGIN = RelayVitals(name="mx1", usable=False, reason="the relay refused the login", is_configuration=True)
DOWN = RelayVitals(name="mx1", usable=False, reason="cannot connect")


class Journal:
    """What the watch reads."""

    def __init__(self) -> None:
        self.fault = self.quarantine = ""
        self.error: Exception | None = None  # what a read meets
        self.waiting: list[tuple[int, QueuedMail]] = []
        self.seen_to_until: datetime | None = None  # by somebody who has acknowledged all that waits

    @property
    def open_count(self) -> int:
        """How many mails wait."""
        return len(self.waiting)

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return when the oldest was made."""
        if self.error is not None:
            raise self.error
        if self.seen_to_until is not None and unacknowledged_at < self.seen_to_until:
            return None
        made = [seconds for seconds, mail in self.waiting if mail.envelope.severity.rank >= at_least.rank]
        return min(made, default=None)

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime
    ) -> list[QueuedMail]:
        """Return the mails made before."""
        return [mail for seconds, mail in self.waiting if seconds <= made_before][:limit]


class Desk:
    """Takes note of what the watch says."""

    def __init__(self) -> None:
        self.raised: list[Alarm] = []
        self.lasting: list[Alarm] = []
        self.reports = 0

    def raise_alarm(self, alarm: Alarm) -> None:
        """Take an alarm about what has happened."""
        self.raised.append(alarm)

    def keep_raised(self, troubles: Sequence[Alarm]) -> None:
        """Take all that is wrong."""
        self.lasting = [*troubles]
        self.reports += 1


class Post:
    """A watch, and what it looks at."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = Journal()
        self.relays: tuple[RelayVitals, ...] = (WORKS,)
        self.desk = Desk()
        self.watch = Watch(
            journal=self.journal,
            clock=self.clock,
            running_seconds=lambda: int(self.clock.monotonic()),
            relays=lambda: self.relays,
            patience=PATIENCE,
            known_at=None,
            desk=self.desk,
        )

    @property
    def alarm(self) -> Alarm:
        """The one thing that is wrong."""
        (alarm,) = self.desk.lasting
        return alarm

    def wait(self, *, severity: Severity = Severity.WARNING, is_alarm: bool = False) -> None:
        """Let a mail wait from now on."""
        mail = Factory().mail(severity=severity)
        made = int(self.clock.monotonic())
        envelope = replace(mail.envelope, running_seconds=made)
        mail = replace(mail, envelope=envelope, letterhead=replace(mail.letterhead, is_alarm=is_alarm))
        self.journal.waiting.append((made, mail))

    async def causes(self, *, after: timedelta = timedelta()) -> list[str]:
        """Return what is wrong after a while. The second look tells what the first has read in the journal."""
        self.clock.pass_time(after)
        await self.watch.look()
        await self.watch.look()
        return [alarm.cause for alarm in self.desk.lasting]


@pytest.fixture
def post() -> Post:
    """A watch over a system in which all is well."""
    return Post()


async def test_where_all_is_well_nothing_is_raised(post: Post) -> None:
    """Also while mail is on its way."""
    post.wait(severity=Severity.CRITICAL)
    assert await post.causes() == []


@pytest.mark.parametrize(("field", "cause"), [("fault", "journal"), ("quarantine", "quarantine")])
async def test_a_trouble_of_the_journal_is_raised(post: Post, field: str, cause: str) -> None:
    """With the words that the journal has for it."""
    setattr(post.journal, field, "3 mails cannot be read")
    assert await post.causes() == [cause]
    assert "3 mails cannot be read" in post.alarm.text


async def test_a_trouble_is_said_at_each_look_while_it_lasts(post: Post) -> None:
    """The desk decides how often people hear of it."""
    for fault, causes in (("disk full", ["journal"]), ("disk full", ["journal"]), ("", []), ("again", ["journal"])):
        post.journal.fault = fault
        assert await post.causes() == causes


async def test_the_trouble_of_a_journal_waits_for_no_read(post: Post) -> None:
    """It may be the very reason why the read fails."""
    post.wait()
    post.journal.fault = "disk full"
    post.journal.error = JournalUnavailable("the disk hangs")
    with pytest.raises(JournalUnavailable):
        await post.watch.look()
    assert post.alarm.cause == "journal"


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [(JournalUnavailable("the disk hangs"), False), (RuntimeError("a defect"), True)],
    ids=["journal", "defect"],
)
async def test_a_look_that_fails_does_not_end_the_watch(
    post: Post, monkeypatch: pytest.MonkeyPatch, error: Exception, has_traceback: bool
) -> None:
    """The next one is made all the same; only a defect is worth a traceback."""
    monkeypatch.setattr(watch, "LOOK_EVERY", timedelta())
    post.wait()
    post.journal.error = error
    with capture_logs() as logs:
        task = asyncio.create_task(post.watch.run())
        async with asyncio.timeout(30):
            while post.desk.reports < 3:
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert [entry["event"] for entry in logs[:2]] == ["watch_failed", "watch_failed"]
    assert ("exc_info" in logs[0]) is has_traceback


async def test_what_somebody_sees_to_is_no_delay(post: Post) -> None:
    """Until the acknowledgement ends; then it is one like any other."""
    post.wait(severity=Severity.CRITICAL)
    post.journal.seen_to_until = NOW + 2 * CRITICAL_WAIT
    assert await post.causes(after=2 * CRITICAL_WAIT - MINUTE) == []
    assert await post.causes(after=MINUTE) == ["critical mail waits"]


async def test_wrong_settings_are_told_at_once(post: Post) -> None:
    """Waiting does not help; while another relay works it is no more than a warning."""
    post.relays = (NO_LOGIN, WORKS)
    assert await post.causes() == ["relay: mx1"]
    assert post.alarm.severity is Severity.WARNING


async def test_the_only_relay_with_wrong_settings_is_told_at_once(post: Post) -> None:
    """One alarm, for one trouble."""
    post.relays = (NO_LOGIN,)
    assert await post.causes() == ["no relay"]


async def test_a_relay_that_is_down_for_a_moment_is_not_told(post: Post) -> None:
    """Only one that is down for as long as patience lasts."""
    post.relays = (DOWN, WORKS)
    assert await post.causes() == []
    assert await post.causes(after=PATIENCE - MINUTE) == []
    assert await post.causes(after=MINUTE) == ["relay: mx1"]


async def test_a_relay_that_recovers_gets_new_patience(post: Post) -> None:
    """Two short breaks do not make a long one."""
    for relay in (DOWN, replace(DOWN, usable=True), DOWN):
        post.relays = (relay, WORKS)
        assert await post.causes(after=PATIENCE - MINUTE) == []


async def test_all_relays_down_is_one_alarm(post: Post) -> None:
    """It names each of them."""
    post.relays = (DOWN, replace(DOWN, name="mx3"))
    await post.causes()
    assert await post.causes(after=PATIENCE) == ["no relay"]
    assert "mx1: cannot connect" in post.alarm.text
    assert "mx3: cannot connect" in post.alarm.text


async def test_critical_mail_that_waits_is_told_after_15_minutes(post: Post) -> None:
    """Not before, and nothing of the kind for less severe mail."""
    post.wait(severity=Severity.ERROR)
    assert await post.causes(after=CRITICAL_WAIT) == []
    post.wait(severity=Severity.CRITICAL)
    assert await post.causes(after=CRITICAL_WAIT - MINUTE) == []
    assert await post.causes(after=MINUTE) == ["critical mail waits"]


async def test_any_mail_that_waits_is_told_after_a_day(post: Post) -> None:
    """It names the oldest."""
    post.wait(severity=Severity.INFO)
    assert await post.causes(after=LONG_WAIT - MINUTE) == []
    assert await post.causes(after=MINUTE) == ["mail waits for a day"]
    assert 'about "disk full" has been waiting for 1 day' in post.alarm.text


async def test_an_alarm_mail_that_waits_raises_no_alarm(post: Post) -> None:
    """That would be a loop; a mail behind it is told of."""
    post.wait(is_alarm=True)
    assert await post.causes(after=LONG_WAIT) == []
    post.wait()
    assert await post.causes(after=LONG_WAIT) == ["mail waits for a day"]


@pytest.mark.parametrize(
    ("jump", "cause"), [(timedelta(days=365), "clock: forward"), (-timedelta(days=1), "clock: back")]
)
async def test_a_jump_of_the_clock_is_told_once(post: Post, jump: timedelta, cause: str) -> None:
    """Fault 19: and it makes no mail look as if it had waited."""
    post.wait(severity=Severity.CRITICAL)
    post.clock.wall += jump
    assert await post.causes() == []
    assert await post.causes(after=MINUTE) == []
    assert [alarm.cause for alarm in post.desk.raised] == [cause]


async def test_a_start_before_the_last_known_time_is_told() -> None:
    """The clock was set back while the daemon did not run."""
    desk = Desk()
    late = Watch(
        journal=Journal(),
        clock=FakeClock(),
        running_seconds=lambda: 0,
        relays=lambda: (),
        patience=PATIENCE,
        known_at=NOW + timedelta(days=1),
        desk=desk,
    )
    await late.look()
    assert [alarm.subject for alarm in desk.raised] == ["The clock jumped back by 1 day"]
