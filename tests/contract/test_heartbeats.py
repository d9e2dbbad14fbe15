"""What every journal keeps of heartbeats: with their alerts or without, all together or nothing."""

from dataclasses import replace

import pytest

from app.domain.errors import JournalUnavailable
from app.domain.heartbeat import HeartbeatRecord, Pulse, PulseState
from app.domain.heartbeat_schedule import Cron
from tests.contract.conftest import BACKLOG_LIMIT
from tests.support.clock import NOW
from tests.support.desk import Desk
from tests.support.heartbeat_bench import BACKUP, DAY, HOUR, MINUTE, a_heartbeat

PULSE = Pulse(
    since=NOW,
    state=PulseState.FAILED,
    last_ping_at=NOW + MINUTE,
    started_at=NOW + 2 * MINUTE,
    ran_for=HOUR,
    exit_code=3,
    down_since=NOW + 3 * MINUTE,
    failures=2,
    deaf_for=DAY,
    output_bytes=7,
)
NIGHTLY = a_heartbeat(name="nightly", schedule=Cron("0 3 * * *", "Europe/Berlin"), is_ad_hoc=True)


async def keep(desk: Desk, *records: HeartbeatRecord) -> None:
    """Have the journal keep them, without any alert."""
    await desk.journal.accept([], [], [], records)


@pytest.mark.parametrize(
    "record",
    [HeartbeatRecord(BACKUP, Pulse(since=NOW)), HeartbeatRecord(NIGHTLY, PULSE)],
    ids=["a new one", "one with everything"],
)
async def test_a_heartbeat_comes_back_as_it_was(desk: Desk, record: HeartbeatRecord) -> None:
    """Every time, count and schedule of it."""
    await keep(desk, record)
    assert await desk.journal.heartbeats() == [record]


async def test_the_last_state_is_kept(desk: Desk) -> None:
    """Also of two in one commit; others stay as they are."""
    first = HeartbeatRecord(BACKUP, Pulse(since=NOW))
    await keep(desk, first, HeartbeatRecord(NIGHTLY, PULSE), replace(first, pulse=PULSE))
    assert {r.heartbeat.name: r.pulse for r in await desk.journal.heartbeats()} == {"backup": PULSE, "nightly": PULSE}


async def test_the_output_stays_until_there_is_another(desk: Desk) -> None:
    """A start, or the passing of time, does not touch it; an empty one takes its place."""
    record = HeartbeatRecord(BACKUP, PULSE)
    outputs = []
    for output in (None, b"\0disk\xff", None, b""):
        await keep(desk, replace(record, output=output))
        outputs.append(await desk.journal.heartbeat_output("backup"))
    assert outputs == [b"", b"\0disk\xff", b"\0disk\xff", b""]


async def test_what_is_forgotten_is_gone(desk: Desk) -> None:
    """With its output; to forget it twice does no harm."""
    await keep(desk, HeartbeatRecord(BACKUP, PULSE, b"disk full"), HeartbeatRecord(NIGHTLY, PULSE))
    await desk.journal.forget_heartbeat("backup")
    await desk.journal.forget_heartbeat("backup")
    assert [record.heartbeat for record in await desk.journal.heartbeats()] == [NIGHTLY]
    assert await desk.journal.heartbeat_output("backup") == b""


async def test_a_heartbeat_is_kept_with_its_alert(desk: Desk) -> None:
    """Where the alert finds no room, it stays as it was."""
    await desk.post(BACKLOG_LIMIT)
    batch = desk.make.batch()
    with pytest.raises(JournalUnavailable):
        await desk.journal.accept(batch.alerts, batch.envelopes, [], [HeartbeatRecord(BACKUP, PULSE)])
    assert await desk.journal.heartbeats() == []


async def test_a_full_backlog_takes_pings(desk: Desk) -> None:
    """They bring no mail, and a job that is alive must not be told as dead."""
    await desk.post(BACKLOG_LIMIT)
    await keep(desk, HeartbeatRecord(BACKUP, PULSE))
    assert len(await desk.journal.heartbeats()) == 1
