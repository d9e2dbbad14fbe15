"""The daemon's side of the spool, on real files: each alert is taken once, and nothing in there is believed."""

import asyncio
import os
import pwd
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cli.spool import open_spool
from app.domain.access import Principal
from app.domain.errors import JournalUnavailable
from app.domain.receipt import Claim, KeptReceipt, Receipt
from app.domain.spooled import MAX_FILE, SpooledAlert, encode_spooled
from app.intake import spool as spool_module
from app.intake import spool_listing
from app.intake.sizes import SizeLimits
from app.intake.spool import SpoolWatcher
from app.intake.spool_folder import SpoolFolder, Unusable
from app.intake.spool_reading import SpoolReader
from app.pipeline.ingest import Submission
from app.pipeline.once import Once
from tests.support.clock import FakeClock

LATER_S = 7_200
OWNER = f"{pwd.getpwuid(os.geteuid()).pw_name}@db1"


class Ingest:
    """Keeps subjects and receipts in memory; `fault` is raised instead."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.subjects: list[str] = []
        self.sources: list[str] = []
        self.kept: dict[bytes, KeptReceipt] = {}
        self.fault: Exception | None = None

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        if self.fault:
            raise self.fault
        self.subjects += [alert.subject for alert in submission.alerts]
        self.sources += [alert.source for alert in submission.alerts]
        receipt = Receipt((len(self.subjects),))
        self.kept |= {claim.key: KeptReceipt(claim, receipt, self.clock.now()) for claim in claims}
        return receipt

    async def receipts(self, keys: Sequence[bytes]) -> dict[bytes, KeptReceipt]:
        return {key: self.kept[key] for key in keys if key in self.kept}


class Site:
    """A spool, and a watcher of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.ingest = Ingest(self.clock)
        self.spool = open_spool(path)
        self.watcher = SpoolWatcher(
            folder=SpoolFolder(path),
            reader=SpoolReader(principal=Principal(), limits=SizeLimits(1 << 20, 1 << 20), host="db1"),
            once=Once(ingest=self.ingest, receipts=self.ingest, clock=self.clock),  # type: ignore[arg-type]  # a fake
            clock=self.clock,
        )

    def alert(self, number: int = 0) -> SpooledAlert:
        return SpooledAlert(key=f"{number:032x}", body=b'{"subject":"s%d"}' % number, made_at=self.clock.now())

    def put(self, number: int = 0) -> Path:
        return self.spool.put(self.alert(number))

    def left(self) -> list[str]:
        return sorted(entry.name for entry in self.path.iterdir())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A shared spool that belongs to whoever runs the tests."""
    path = tmp_path / "spool"
    path.mkdir()
    path.chmod(0o3733)
    return Site(path)


async def test_alerts_are_taken_and_their_files_removed(site: Site) -> None:
    """In the order in which they were left, with their owner as source."""
    for number in range(3):
        site.put(number)
    assert await site.watcher.look() == 3
    assert (site.ingest.subjects, site.left()) == (["s0", "s1", "s2"], [])
    assert set(site.ingest.sources) == {OWNER}


async def test_a_crash_before_the_removal_makes_no_second_mail(site: Site) -> None:
    """The same file again is the same alert."""
    data = site.put().read_bytes()
    await site.watcher.look()
    (site.path / "again.alert").write_bytes(data)
    assert await site.watcher.look() == 1
    assert (site.ingest.subjects, site.left()) == (["s0"], [])


@pytest.mark.parametrize("claim", [0, 1], ids=["token asked for", "no token asked for"])
async def test_a_post_whose_answer_was_lost_is_the_same_alert(site: Site, claim: int) -> None:
    """Whether the daemon keeps its receipt under the token or under nobody."""
    alert = replace(site.alert(), fingerprint=b"f" * 32)
    await site.ingest.take(Submission(alerts=[]), alert.claims()[claim : claim + 1])
    site.spool.put(alert)
    assert await site.watcher.look() == 1
    assert (site.ingest.subjects, site.left()) == ([], [])


async def test_another_alert_under_a_used_key_is_taken(site: Site) -> None:
    """No user can silence another, or lose an alert by a bad program."""
    site.put()
    await site.watcher.look()
    site.spool.put(replace(site.alert(), body=b'{"subject":"other"}'))
    await site.watcher.look()
    assert (site.ingest.subjects, site.left()) == (["s0", "other"], [])


async def test_files_stay_while_the_journal_cannot_take_them(site: Site) -> None:
    """They are taken once the disk has room again."""
    site.put()
    site.ingest.fault = JournalUnavailable("disk full")
    with pytest.raises(JournalUnavailable):
        await site.watcher.look()
    assert len(site.left()) == 1
    site.ingest.fault = None
    assert await site.watcher.look() == 1


def a_link(site: Site) -> None:
    (site.path.parent / "secret").write_bytes(encode_spooled(site.alert(7)))
    (site.path / "1.alert").symlink_to(site.path.parent / "secret")


def a_hard_link(site: Site) -> None:
    (site.path.parent / "secret").write_bytes(encode_spooled(site.alert(7)))
    (site.path / "1.alert").hardlink_to(site.path.parent / "secret")


def a_pipe(site: Site) -> None:
    os.mkfifo(site.path / "1.alert")


def a_folder(site: Site) -> None:
    (site.path / "1.alert").mkdir()


def a_huge_file(site: Site) -> None:
    with (site.path / "1.alert").open("wb") as file:
        file.truncate(MAX_FILE + 1)


@pytest.mark.parametrize("lay", [a_link, a_hard_link, a_pipe, a_folder, a_huge_file])
async def test_what_is_no_plain_file_is_removed(site: Site, lay: Callable[[Site], None]) -> None:
    """A trap in a directory that everybody writes hurts nobody, and keeps no alert waiting."""
    lay(site)
    site.put(2)
    with capture_logs() as logs:
        await site.watcher.look()
        assert [await site.watcher.look() for _ in range(2)] == [0, 0]
    assert (site.ingest.subjects, site.left()) == (["s2"], [])
    told = [event["event"] for event in logs if event["log_level"] == "warning"]
    assert told in (["spool_tidied"], ["spool_file_removed"])


async def test_thousands_of_links_keep_nobody_waiting(site: Site) -> None:
    """Whoever lays them has one turn like everybody else, and they are gone after one look."""
    for number in range(1_000):
        (site.path / f"0{number:04d}.alert").symlink_to("/etc/passwd")
    site.put()
    assert await site.watcher.look() == 1
    assert (site.ingest.subjects, site.left()) == (["s0"], [])


async def test_drafts_of_the_future_are_old(site: Site) -> None:
    """Anybody may set the time of a file, and a hundred thousand such files would stay for ever."""
    (site.path / ".draft").touch()
    os.utime(site.path / ".draft", (4e9, 4e9))
    await site.watcher.look()
    assert site.left() == []


async def test_nobody_writes_drafts_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However new they are: of one user so many are in the making, and no more."""
    monkeypatch.setattr(spool_listing, "MAX_DRAFTS", 3)
    now = site.clock.now().timestamp()
    for number in range(5):
        (site.path / f".{number}").touch()
        os.utime(site.path / f".{number}", (now, now))
    await site.watcher.look()
    assert len(site.left()) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_every_user_has_a_turn(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who leaves thousands of alerts does not keep another's waiting."""
    monkeypatch.setattr(spool_module, "AT_ONCE", 2)
    for number in range(4):
        site.put(number)
    os.chown(site.put(9), 1, 1)
    await site.watcher.look()
    assert sorted(site.ingest.subjects) == ["s0", "s9"]


async def test_what_its_command_still_posts_is_not_taken(site: Site) -> None:
    """Until it is let go, or the command has ended: the post may name people whom the spool may not."""
    with site.spool.hold(site.alert()):
        assert await site.watcher.look() == 0
    assert await site.watcher.look() == 1


async def test_what_cannot_be_read_is_left_and_told_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may mend it; until then it is not looked at."""
    file = site.put(4)

    def refuse(_file: object, *, at: object) -> None:
        raise Unusable("it cannot be opened")

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(SpoolReader, "read", lambda _self, file, at: refuse(file, at=at))
        assert [await site.watcher.look() for _ in range(2)] == [0, 0]
    assert [event["event"] for event in logs] == ["spool_file_left"]
    file.touch()
    assert await site.watcher.look() == 1
    assert site.ingest.subjects == ["s4"]


async def test_other_names_are_not_looked_at(site: Site) -> None:
    """A draft is not read before it is whole; one that nobody finished goes after an hour."""
    for name in (".draft", ".old", "README"):
        (site.path / name).write_bytes(encode_spooled(site.alert()))
    now = site.clock.now().timestamp()
    os.utime(site.path / ".draft", (now, now))
    os.utime(site.path / ".old", (now - LATER_S, now - LATER_S))
    assert await site.watcher.look() == 0
    assert site.left() == [".draft", "README"]


async def test_a_broken_file_is_mailed_as_it_is(site: Site) -> None:
    """Half of it may tell enough."""
    (site.path / "1.alert").write_bytes(b"disk full on db1\nrest")
    assert await site.watcher.look() == 1
    assert (site.ingest.subjects, site.left()) == (["disk full on db1"], [])


async def test_a_spool_that_is_missing_is_an_empty_one(site: Site) -> None:
    """It may be made while the daemon runs."""
    site.path.rmdir()
    assert await site.watcher.look() == 0
    site.path.mkdir()
    site.put()
    assert await site.watcher.look() == 1


async def test_a_spool_that_is_no_directory_is_told_once(site: Site) -> None:
    """With what is wrong; the daemon goes on."""
    site.path.rmdir()
    site.path.write_text("a file")
    with capture_logs() as logs:
        assert [await site.watcher.look() for _ in range(2)] == [0, 0]
    assert [event["event"] for event in logs] == ["spool_unusable"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
async def test_a_sticky_spool_of_somebody_else_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the daemon could not remove would be mailed again every day."""
    site.put()
    os.chown(site.path, 1, 1)
    monkeypatch.setattr(os, "geteuid", lambda: 2)
    with capture_logs() as logs:
        assert await site.watcher.look() == 0
    assert "must belong to the daemon" in logs[0]["reason"]


async def test_it_looks_again_and_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one handful is taken without a pause, and what comes later too."""
    monkeypatch.setattr(spool_module, "AT_ONCE", 2)
    for number in range(5):
        site.put(number)
    watching = asyncio.create_task(site.watcher.run())
    async with asyncio.timeout(30):
        while site.left():  # a file goes only once its alert is durable
            await asyncio.sleep(0.01)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert len(site.ingest.subjects) == 5
