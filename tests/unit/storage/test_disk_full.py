"""A full disk: told at once, nothing lost, and over as soon as there is room."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.errors import JournalUnavailable
from app.domain.verdict import Verdict
from app.storage import writer
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from app.storage.reserve import RESERVE_BYTES, RESERVE_FILE, Reserve
from tests.support.desk import envelope_ids
from tests.support.factories import LETTERHEAD, verdict_on
from tests.support.requirements import missing, require_root
from tests.support.sqlite_desk import HANG, SqliteDesk

LARGE = "x" * 100_000  # bytes of content; needs pages that a full disk has not


@pytest.fixture(autouse=True)
def _probe_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PROBE_EVERY", timedelta(milliseconds=20))


async def recovered(desk: SqliteDesk) -> None:
    """Wait until the journal can be written again."""
    async with asyncio.timeout(HANG):
        while desk.journal.fault:
            await asyncio.sleep(0.005)


def large_verdict_on(envelope: int) -> Verdict:
    """Return a verdict that does not fit into pages that are there."""
    verdict = verdict_on(envelope)
    return replace(verdict, deliveries=(replace(verdict.deliveries[0], reply=LARGE),))


async def full(desk: SqliteDesk) -> None:
    """Fill the disk, and let the journal find out."""
    desk.leave_pages(0)
    with pytest.raises(JournalUnavailable):
        await desk.post(content=LARGE)


async def test_a_flush_waits_for_no_room(desk: SqliteDesk) -> None:
    """Whoever stops the daemon is told at once that something is left."""
    await full(desk)
    with pytest.raises(JournalUnavailable, match="disk is full"):
        await desk.journal.flush()


async def test_a_post_on_a_full_disk_is_turned_down(desk: SqliteDesk) -> None:
    """The client is told to try again when the next probe will have been, and nothing was taken."""
    desk.leave_pages(0)
    with pytest.raises(JournalUnavailable, match="disk is full") as caught:
        await desk.post(content=LARGE)
    assert caught.value.retry_after == writer.PROBE_EVERY
    assert "disk is full" in desk.journal.fault
    assert await desk.open_counts() == {0}


async def test_later_posts_are_turned_down_without_a_try(desk: SqliteDesk) -> None:
    """While the journal is known to be full, a post does not wait for a disk that cannot take it."""
    await full(desk)
    with pytest.raises(JournalUnavailable):
        await desk.post()
    assert await desk.value("SELECT count(*) FROM alerts") == 0


async def test_posts_that_wait_are_turned_down_together(desk: SqliteDesk) -> None:
    """Those of the failed commit and those behind it are all answered."""
    desk.leave_pages(0)
    async with desk.held_writer():
        posts = [asyncio.create_task(desk.post(content=LARGE)) for _ in range(5)]
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert [type(result) for result in results] == [JournalUnavailable] * 5


async def test_health_comes_back_without_traffic(desk: SqliteDesk) -> None:
    """The writer probes with a real commit until one succeeds."""
    await full(desk)
    desk.make_room()
    await recovered(desk)
    await desk.post(content=LARGE)
    assert await desk.open_counts() == {1}


async def test_probes_go_on_while_the_disk_stays_full(desk: SqliteDesk) -> None:
    """A probe that fails is followed by the next one."""
    await full(desk)
    tried: list[str] = []
    desk.journal._writer._connection.set_trace_callback(tried.append)
    async with asyncio.timeout(HANG):
        while tried.count("BEGIN IMMEDIATE") < 3:
            await asyncio.sleep(0.005)
    assert desk.journal.fault
    desk.journal._writer._connection.set_trace_callback(None)


async def test_outcomes_wait_for_room_and_are_committed_then(desk: SqliteDesk) -> None:
    """What the relay said is not forgotten because the disk was full when it said so."""
    first, second = envelope_ids(await desk.post(2))
    desk.leave_pages(0)
    early = desk.journal.record(large_verdict_on(first))
    async with asyncio.timeout(HANG):
        while not desk.journal.fault:
            await asyncio.sleep(0.005)
    late = desk.journal.record(verdict_on(second))
    assert not early.done()
    assert not late.done()
    desk.make_room()
    async with asyncio.timeout(HANG):
        await asyncio.gather(early, late)
    assert desk.journal.fault == ""
    assert await desk.open_counts() == {0}


async def test_a_poisoned_change_on_a_full_disk_leaves_nothing_half_done(desk: SqliteDesk) -> None:
    """Where changes are taken apart and then the disk is full, those before are not committed either."""
    small, poison, large = desk.make.batch(), desk.make.batch(), desk.make.batch(content=LARGE)
    desk.leave_pages(5)  # enough for the small one
    async with desk.held_writer():
        posts = [
            asyncio.create_task(desk.journal.accept(batch.alerts, batch.envelopes))
            for batch in (small, replace(poison, alerts=poison.alerts * 2), large)
        ]
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert [type(result) for result in results] == [JournalUnavailable] * 3
    assert await desk.open_counts() == {0}


async def test_the_close_does_not_wait_for_room(desk: SqliteDesk) -> None:
    """A daemon whose disk is full can still be stopped; the fixture closes the journal."""
    (envelope,) = envelope_ids(await desk.post())
    await full(desk)
    assert not desk.journal.record(verdict_on(envelope)).done()


# On a disk that is really full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, half of which the reserve takes."""
    require_root()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", tmp_path], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        missing(f"root may not mount here: {mount.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.fixture
async def desk_on_small_disk(small_disk: Path) -> AsyncIterator[SqliteDesk]:
    """A journal on it."""
    journal = SqliteJournal(small_disk, mode=Mode.LIVE, backlog_limit=100_000)
    yield SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))
    await journal.close()


async def posted_until_full(desk: SqliteDesk) -> list[int]:
    """Post until nothing more is taken; return the envelopes of what was."""
    accepted: list[int] = []
    while True:
        try:
            accepted += envelope_ids(await desk.post(content="x" * 20_000))
        except JournalUnavailable:
            return accepted


def fill_a_part(disk: Path) -> None:
    """Take some room for something else."""
    (disk / "ballast").write_bytes(bytes(2_000_000))


def take_the_rest(disk: Path) -> None:
    """Fill the disk with something else."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


async def test_a_disk_that_fills_up_and_is_cleared(small_disk: Path, desk_on_small_disk: SqliteDesk) -> None:
    """Every alert that was accepted is there, the rest was turned down, and all is well once there is room."""
    desk = desk_on_small_disk
    fill_a_part(small_disk)
    accepted = await posted_until_full(desk)
    marks = [desk.journal.record(verdict_on(envelope)) for envelope in accepted[:3]]
    (small_disk / "ballast").unlink()
    async with asyncio.timeout(HANG):
        await asyncio.gather(*marks)
    await recovered(desk)
    await desk.post()
    assert await desk.open_counts() == {len(accepted) - 3 + 1}
    assert (await desk.due_ids())[:-1] == accepted[3:]


async def test_outcomes_are_committed_in_the_room_of_the_reserve(
    small_disk: Path, desk_on_small_disk: SqliteDesk
) -> None:
    """While the disk is full the outcomes of all that was accepted become durable, and nothing new is taken."""
    desk = desk_on_small_disk
    accepted = await posted_until_full(desk)
    take_the_rest(small_disk)
    async with asyncio.timeout(HANG):
        await asyncio.gather(*(desk.journal.record(large_verdict_on(envelope)) for envelope in accepted[:10]))
    with pytest.raises(JournalUnavailable, match="disk is full"):
        await desk.post()
    assert await desk.open_counts() == {len(accepted) - 10}


class WatchedReserve(Reserve):
    """Counts how often it was to be filled."""

    fills = 0

    def fill(self) -> None:
        self.fills += 1
        super().fill()


async def test_nothing_is_taken_until_the_reserve_is_whole(small_disk: Path, desk_on_small_disk: SqliteDesk) -> None:
    """A little room is for outcomes alone; with room for the reserve alerts are taken again."""
    desk = desk_on_small_disk
    reserve = desk.journal._writer._reserve = WatchedReserve(small_disk)
    fill_a_part(small_disk)
    accepted = await posted_until_full(desk)
    take_the_rest(small_disk)
    await asyncio.gather(*(desk.journal.record(large_verdict_on(envelope)) for envelope in accepted[:10]))
    assert not (small_disk / RESERVE_FILE).exists()
    reserve.fills = 0
    async with asyncio.timeout(HANG):
        while reserve.fills < 3:
            await asyncio.sleep(0.005)
    assert desk.journal.fault
    (small_disk / "ballast").unlink()
    await recovered(desk)
    assert (small_disk / RESERVE_FILE).stat().st_blocks * 512 >= RESERVE_BYTES
