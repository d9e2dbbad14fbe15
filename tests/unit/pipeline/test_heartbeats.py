"""The heartbeat desk: pings in, alerts out, and the journal knows both or neither."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alert import Alert, Severity, Status
from app.domain.envelope import EnvelopeState
from app.domain.errors import JournalUnavailable
from app.domain.heartbeat import Heartbeat, PulseState
from app.domain.heartbeat_schedule import Every
from app.domain.ping import MAX_OUTPUT, Ping, PingKind
from app.pipeline import heartbeats
from app.pipeline.heartbeat_wanted import HeartbeatInSettings, TooManyHeartbeats, UnknownHeartbeat, Wanted
from app.pipeline.ingest import Submission
from app.settings.matchers import parse_matcher
from tests.support.clock import NOW
from tests.support.heartbeat_bench import BACKUP, DAY, HOUR, MINUTE, HeartbeatBench, a_heartbeat, the_record

OK, START, FAIL = Ping(), Ping(PingKind.START), Ping(PingKind.FAILURE, 3)
FIRING, RESOLVED = Status.FIRING, Status.RESOLVED
SILENT, BROKEN = "Heartbeat backup is overdue", "Heartbeat backup reported failure, exit code 3"
FED = a_heartbeat(
    name="prometheus", schedule=Every(10 * MINUTE), grace=MINUTE, matchers=(parse_matcher('alertname="Watchdog"'),)
)
WATCHDOG = Alert(subject="Watchdog", labels={"alertname": "Watchdog"}, severity=Severity.INFO)


@pytest.fixture
def bench() -> HeartbeatBench:
    """A journal in memory, and a clock."""
    return HeartbeatBench()


async def test_silence_is_told_once_and_its_end(bench: HeartbeatBench) -> None:
    """Firing and resolved, each one mail."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    await bench.pass_time(desk, DAY + HOUR - MINUTE)
    assert bench.told == []
    await bench.pass_time(desk, HOUR)
    assert bench.told == [(SILENT, FIRING)]
    await desk.ping("backup", OK)
    assert bench.told == [(SILENT, FIRING), (SILENT, RESOLVED)]


async def test_one_that_never_pings_is_told(bench: HeartbeatBench) -> None:
    """It waits from the first time that the daemon saw it in the settings, across restarts."""
    await bench.start(BACKUP)
    bench.clock.pass_time(DAY)
    desk = await bench.start(BACKUP, left_at=bench.clock.now())
    await bench.pass_time(desk, HOUR)
    assert bench.told == [(SILENT, FIRING)]


async def test_what_an_overdue_one_said_last_is_attached(bench: HeartbeatBench) -> None:
    """It comes from the journal: memory does not hold it."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK, output=b"4 GB dumped")
    await desk.ping("backup", START)
    await bench.pass_time(desk, 2 * HOUR)
    assert bench.told == [(SILENT, FIRING)]
    assert bench.output_of(0) == b"4 GB dumped"


async def test_a_ping_without_output_forgets_that_of_the_one_before(bench: HeartbeatBench) -> None:
    """An old log must not explain a new silence."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK, output=b"4 GB dumped")
    await desk.ping("backup", OK)
    assert await bench.journal.heartbeat_output("backup") == b""


async def test_of_a_long_output_the_end_is_kept(bench: HeartbeatBench) -> None:
    """There the error stands."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", FAIL, output=b"x" * MAX_OUTPUT + b"disk full")
    assert bench.output_of(0) == b"x" * (MAX_OUTPUT - 9) + b"disk full"
    assert the_record(desk).pulse.output_bytes == MAX_OUTPUT


async def test_a_failure_is_told_at_once(bench: HeartbeatBench) -> None:
    """And not again before a success, which brings its own output along."""
    desk = await bench.start(BACKUP)
    assert [await desk.ping("backup", FAIL) for _ in range(3)] == [True, False, False]
    assert await desk.ping("backup", OK, output=b"all well")
    assert bench.told == [(BROKEN, FIRING), (BROKEN, RESOLVED)]
    assert bench.output_of(1) == b"all well"


async def test_the_first_ping_makes_one(bench: HeartbeatBench) -> None:
    """With what the ping asks for; the next ones need to say nothing."""
    desk = await bench.start()
    await desk.ping("rsync", OK, wanted=Wanted(Every(HOUR), MINUTE))
    await desk.ping("rsync", OK)
    heartbeat = the_record(desk, "rsync").heartbeat
    assert (heartbeat.schedule, heartbeat.grace, heartbeat.is_ad_hoc) == (Every(HOUR), MINUTE, True)


async def test_a_ping_that_asks_for_something_else_gets_it(bench: HeartbeatBench) -> None:
    """Of one that a ping has made; only what is asked for changes."""
    desk = await bench.start()
    await desk.ping("rsync", OK, wanted=Wanted(Every(HOUR), MINUTE))
    await desk.ping("rsync", OK, wanted=Wanted(Every(DAY)))
    heartbeat = the_record(desk, "rsync").heartbeat
    assert (heartbeat.schedule, heartbeat.grace) == (Every(DAY), MINUTE)


async def test_the_settings_win(bench: HeartbeatBench) -> None:
    """Over a ping, and over one that a ping has made before; its pulse goes on."""
    desk = await bench.start()
    await desk.ping("backup", OK, wanted=Wanted(Every(MINUTE), MINUTE))
    desk = await bench.start(BACKUP)
    assert the_record(desk).heartbeat == BACKUP
    assert the_record(desk).pulse.last_ping_at == NOW
    await desk.ping("backup", OK, wanted=Wanted(Every(MINUTE)))
    assert the_record(desk).heartbeat == BACKUP


async def test_an_unknown_one_needs_to_say_when_it_is_due(bench: HeartbeatBench) -> None:
    """A slip of the pen in a name must not look like a success."""
    desk = await bench.start(BACKUP)
    with pytest.raises(UnknownHeartbeat):
        await desk.ping("bakcup", OK, wanted=Wanted(grace=HOUR))


async def test_pings_do_not_make_them_without_end(bench: HeartbeatBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the settings do not count."""
    monkeypatch.setattr(heartbeats, "MAX_AD_HOC", 2)
    desk = await bench.start(BACKUP)
    for name in ("a", "b"):
        await desk.ping(name, OK, wanted=Wanted(Every(HOUR)))
    with pytest.raises(TooManyHeartbeats):
        await desk.ping("c", OK, wanted=Wanted(Every(HOUR)))
    await desk.remove("a")
    await desk.ping("c", OK, wanted=Wanted(Every(HOUR)))
    assert [record.heartbeat.name for record in desk.records()] == ["b", "backup", "c"]


async def test_only_what_a_ping_has_made_can_be_removed(bench: HeartbeatBench) -> None:
    """The settings would bring the other back."""
    desk = await bench.start(BACKUP)
    with pytest.raises(HeartbeatInSettings):
        await desk.remove("backup")
    with pytest.raises(UnknownHeartbeat):
        await desk.remove("rsync")


async def test_what_leaves_the_settings_is_forgotten(bench: HeartbeatBench) -> None:
    """Nobody is told of it any more, and its past does not come back with it."""
    await bench.start(BACKUP)
    await bench.start()
    assert await bench.journal.heartbeats() == []


async def test_a_restart_keeps_what_is_known(bench: HeartbeatBench) -> None:
    """An alert is not raised a second time, and its end is told by the next run."""
    desk = await bench.start()
    await desk.ping("rsync", OK, wanted=Wanted(Every(HOUR), MINUTE))
    await bench.pass_time(desk, 2 * HOUR)
    desk = await bench.start(left_at=bench.clock.now())
    await bench.pass_time(desk, 2 * HOUR)
    assert the_record(desk, "rsync").pulse.state is PulseState.OVERDUE
    await desk.ping("rsync", OK)
    assert [status for _, status in bench.told] == [FIRING, RESOLVED]


async def test_what_became_due_while_the_daemon_was_down_has_its_grace(bench: HeartbeatBench) -> None:
    """Pings may have come to nothing because of us, and the alert says so."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    left_at = bench.clock.now() + HOUR
    bench.clock.pass_time(3 * DAY)
    desk = await bench.start(BACKUP, left_at=left_at)
    await bench.pass_time(desk, HOUR - MINUTE)
    assert bench.told == []
    await bench.pass_time(desk, 2 * MINUTE)
    (alert,) = bench.mailed
    assert "For 2d of the time since then this daemon could not hear it" in alert.content


async def test_what_became_due_while_the_machine_slept_has_its_grace(bench: HeartbeatBench) -> None:
    """Looks come every second, so that a gap between two of them is no delay."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    bench.clock.wall += 2 * DAY
    await desk.look()
    await bench.pass_time(desk, HOUR - MINUTE)
    assert bench.told == []
    await bench.pass_time(desk, 2 * MINUTE)
    assert bench.told == [(SILENT, FIRING)]


async def test_a_clock_that_is_set_back_silences_nothing(bench: HeartbeatBench) -> None:
    """What was noted by a clock a year ahead does not keep its alert back for a year."""
    bench.clock.wall += 365 * DAY
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    bench.clock.wall -= 365 * DAY
    await bench.pass_time(desk, DAY + 2 * HOUR)
    assert bench.told == [(SILENT, FIRING)]


@pytest.mark.parametrize("days", [1, 365])
async def test_a_clock_that_jumps_ahead_and_back_silences_nothing(bench: HeartbeatBench, days: int) -> None:
    """Nobody is told while it is ahead, for a job may be well; afterwards the jump does not keep the alert back."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    bench.clock.wall += days * DAY
    await bench.pass_time(desk, MINUTE)
    bench.clock.wall -= days * DAY
    await bench.pass_time(desk, DAY + HOUR - 2 * MINUTE)
    assert bench.told == []
    await bench.pass_time(desk, 2 * MINUTE)
    assert bench.told == [(SILENT, FIRING)]


async def test_a_start_by_a_clock_that_is_ahead_silences_nothing(bench: HeartbeatBench) -> None:
    """As of a machine whose clock is set right only when the network is up; and the journal keeps no more of it."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    left_at = bench.clock.now()
    bench.clock.wall += 365 * DAY
    desk = await bench.start(BACKUP, left_at=left_at)
    await bench.pass_time(desk, MINUTE)
    bench.clock.wall -= 365 * DAY
    await bench.pass_time(desk, MINUTE)
    desk = await bench.start(BACKUP, left_at=bench.clock.now())
    await bench.pass_time(desk, DAY + HOUR)
    assert bench.told == [(SILENT, FIRING)]


async def test_a_ping_that_is_not_kept_changes_nothing(bench: HeartbeatBench) -> None:
    """The client is told, and can ping again."""
    desk = await bench.start(BACKUP)
    before = the_record(desk)
    bench.journal.fault = JournalUnavailable("disk full")
    with pytest.raises(JournalUnavailable):
        await desk.ping("backup", FAIL)
    assert (the_record(desk), bench.told) == (before, [])
    bench.journal.fault = JournalUnavailable("disk full")
    with pytest.raises(JournalUnavailable):
        await desk.ping("rsync", OK, wanted=Wanted(Every(HOUR)))
    assert [record.heartbeat.name for record in desk.records()] == ["backup"]


async def test_while_the_journal_is_out_of_order_nobody_is_late(bench: HeartbeatBench) -> None:
    """Pings are refused meanwhile; then the grace counts anew."""
    desk = await bench.start(BACKUP)
    await desk.ping("backup", OK)
    bench.journal.fault = JournalUnavailable("disk full")
    await bench.pass_time(desk, 2 * DAY)
    bench.journal.fault = None
    await bench.pass_time(desk, HOUR - MINUTE)
    assert bench.told == []
    await bench.pass_time(desk, 2 * MINUTE)
    assert bench.told == [(SILENT, FIRING)]


async def test_pings_at_once_are_taken_in_turn(bench: HeartbeatBench) -> None:
    """Of many failures at once one is told, and of many first pings one makes it."""
    desk = await bench.start()
    await asyncio.gather(*(desk.ping("rsync", FAIL, wanted=Wanted(Every(HOUR))) for _ in range(20)))
    assert the_record(desk, "rsync").pulse.failures == 20
    assert len(bench.mailed) == 1


async def test_a_ping_of_one_that_is_being_removed_finds_nothing(bench: HeartbeatBench) -> None:
    """It does not bring back what was removed while it waited."""
    desk = await bench.start()
    await desk.ping("rsync", OK, wanted=Wanted(Every(HOUR)))
    removal, again = asyncio.create_task(desk.remove("rsync")), asyncio.create_task(desk.remove("rsync"))
    ping = asyncio.create_task(desk.ping("rsync", OK))
    await removal
    for late in (again, ping):
        with pytest.raises(UnknownHeartbeat):
            await late
    assert (desk.records(), await bench.journal.heartbeats()) == ([], [])


async def test_a_closed_daemon_takes_no_ping_and_raises_no_alert(bench: HeartbeatBench) -> None:
    """The client is told to ping again, and reaches the next run."""
    desk = await bench.start(BACKUP)
    bench.ingest.close()
    with pytest.raises(JournalUnavailable):
        await desk.ping("backup", OK)
    await bench.pass_time(desk, 2 * DAY)
    assert bench.told == []


async def test_an_alert_can_be_the_sign_of_life(bench: HeartbeatBench) -> None:
    """It is on record, nobody is mailed, and the sender is told; without it the heartbeat is overdue."""
    desk = await bench.start(FED)
    receipt = await desk.take(Submission(alerts=[WATCHDOG, Alert(subject="disk full")]))
    assert receipt.warnings == ("taken as a sign of life of heartbeat prometheus; nobody is mailed",)
    assert [alert.subject for alert in bench.mailed] == ["disk full"]
    states = [entry.state for _, entry in sorted(bench.journal.entries.items())]
    assert (len(receipt.ids), states) == (2, [EnvelopeState.KEPT, EnvelopeState.OPEN])
    assert the_record(desk, "prometheus").pulse.last_ping_at == NOW
    await bench.pass_time(desk, 12 * MINUTE)
    assert [alert.subject for alert in bench.mailed] == ["disk full", "Heartbeat prometheus is overdue"]


async def test_a_sign_of_life_after_silence_resolves_it(bench: HeartbeatBench) -> None:
    """The sender hears of its own alert only."""
    desk = await bench.start(FED)
    await bench.pass_time(desk, 12 * MINUTE)
    receipt = await desk.take(Submission(alerts=[WATCHDOG]))
    assert len(receipt.ids) == 1
    assert [status for _, status in bench.told] == [FIRING, RESOLVED]


@pytest.mark.parametrize("status", [FIRING, RESOLVED])
async def test_other_alerts_are_mailed(bench: HeartbeatBench, status: Status) -> None:
    """Whatever the matchers do not hold for is an alert like any."""
    alert = replace(WATCHDOG, labels={"alertname": "DiskFull"}, status=status)
    desk = await bench.start(FED)
    assert (await desk.take(Submission(alerts=[alert]))).warnings == ()
    assert bench.mailed == [alert]
    assert the_record(desk, "prometheus").pulse.state is PulseState.NEW


@pytest.mark.parametrize("matcher", ['alertname="Watchdog"', 'status="firing"'])
async def test_the_end_of_a_sign_of_life_is_no_good_news(bench: HeartbeatBench, matcher: str) -> None:
    """A Watchdog that is resolved is on record and mailed to nobody; it is no ping, and silence is told."""
    desk = await bench.start(replace(FED, matchers=(*FED.matchers, parse_matcher(matcher))))
    await desk.take(Submission(alerts=[WATCHDOG]))
    bench.clock.pass_time(MINUTE)
    receipt = await desk.take(Submission(alerts=[replace(WATCHDOG, status=RESOLVED)]))
    assert receipt.warnings == (
        "the sign of life of heartbeat prometheus has ended; nobody is mailed before it is overdue",
    )
    assert (len(receipt.ids), bench.mailed) == (1, [])
    assert the_record(desk, "prometheus").pulse.last_ping_at == NOW
    await bench.pass_time(desk, 12 * MINUTE)
    assert bench.told == [("Heartbeat prometheus is overdue", FIRING)]


async def test_a_batch_may_hold_a_sign_of_life_and_its_end(bench: HeartbeatBench) -> None:
    """Two of them, as Alertmanager groups them: the one that fires is a ping, and the sender is told of both."""
    desk = await bench.start(FED)
    receipt = await desk.take(Submission(alerts=[replace(WATCHDOG, status=RESOLVED), WATCHDOG], is_batch=True))
    assert (len(receipt.ids), len(receipt.warnings), bench.mailed) == (2, 2, [])
    assert the_record(desk, "prometheus").pulse.last_ping_at == NOW


async def test_the_loop_looks(bench: HeartbeatBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on after a look that failed."""
    monkeypatch.setattr(heartbeats, "LOOK_EVERY", timedelta())
    monkeypatch.setattr(heartbeats, "RETRY_AFTER", timedelta())
    desk = await bench.start(Heartbeat(name="backup", schedule=Every(MINUTE), grace=MINUTE))
    await desk.ping("backup", OK, output=b"something")
    bench.clock.wall += MINUTE
    await desk.look()
    bench.clock.wall += MINUTE
    outputs = iter([JournalUnavailable("disk full"), RuntimeError("a fault")])

    async def output(name: str) -> bytes:
        if (fault := next(outputs, None)) is not None:
            raise fault
        return b"something"

    monkeypatch.setattr(bench.journal, "heartbeat_output", output)
    running = asyncio.create_task(desk.run())
    async with asyncio.timeout(30):
        while not bench.told:
            await asyncio.sleep(0)
    running.cancel()
    assert bench.told == [(SILENT, FIRING)]
