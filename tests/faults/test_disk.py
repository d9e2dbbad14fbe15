"""Disks that are full, that fail, and that damage what they keep."""

import json
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest

from app.storage.pages import PAGE_BYTES
from tests.support.background_relay import background_relay, parsed
from tests.support.fault_run import HASTY, FaultRun
from tests.support.requirements import missing, require, require_root
from tests.support.scripted_smtp import StoredMail
from tests.support.waiting import HANG, until

DISK_FAILED = 74  # EX_IOERR of sysexits.h
TEMPORARY = 75  # EX_TEMPFAIL
MIB = 1 << 20
DISK_MIB = 24
CONTENT = "x" * 20_000
BACKLOG = 200
POSTERS = 20
HEARTBEATS = 40
LATER = "451 4.3.0 later"


class Disk:
    """An ext4 file system of our own in a file, mounted at `folder`."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.folder = folder
        self._image = image
        image.write_bytes(b"")
        os.truncate(image, DISK_MIB * MIB)
        folder.mkdir()
        # No blocks for root alone: the tests run as root, the daemon too.
        subprocess.run([require("mkfs.ext4"), "-q", "-b", "4096", "-m", "0", image], check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it, which after a power cut replays its own log."""
        mounted = subprocess.run(["mount", "-o", "loop", self._image, self.folder], capture_output=True, check=False)
        if mounted.returncode:
            missing(f"no image can be mounted: {mounted.stderr.decode().strip()}")

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True)

    def take_some(self) -> None:
        """Take a third of it, for something that can be removed again."""
        (self.folder / "ballast").write_bytes(bytes(DISK_MIB * MIB // 3))

    def fill_up(self) -> None:
        """Take the last block of it."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        assert shutil.disk_usage(self.folder).free == 0

    def make_room(self) -> None:
        (self.folder / "ballast").unlink()

    def cut_power(self) -> None:
        """Forget what was not synced; whatever is written or read from now on fails."""
        subprocess.run([require("xfs_io"), "-x", "-c", "shutdown", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    require_root()
    disk = Disk(tmp_path / "image", tmp_path / "disk")
    yield disk
    disk.unmount()


def post_until_refused(run: FaultRun) -> None:
    """Post until nothing more is taken."""
    for number in range(DISK_MIB * MIB // len(CONTENT)):
        answer = run.daemon.post({"subject": f"alert {number}", "content": CONTENT})
        if answer.status != 202:
            assert answer.status == 503
            assert "disk is full" in answer.json["detail"]
            return
        run.accepted.append(answer.json["id"])
    raise AssertionError("the disk never was full")


def test_marks_on_a_full_disk(disk: Disk) -> None:
    """Fault 16: outcomes are written in the room of the reserve and outlive a kill; posts get 503 until it is whole."""
    gate = threading.Event()

    def once_the_disk_is_full(_: str) -> None:
        gate.wait(HANG)

    with background_relay(DOT=once_the_disk_is_full) as relay, FaultRun(disk.folder, relay.port) as run:
        disk.take_some()
        post_until_refused(run)
        disk.fill_up()
        gate.set()
        run.settle()
        assert run.daemon.post({"subject": "too early"}).status == 503
        assert not (run.daemon.data_dir / "reserve").exists()  # so the outcomes did need it
        run.daemon.kill()
        disk.make_room()
        run.daemon.start()
        run.post("after")
        run.settle()
        balance = run.close(relay.mails)
    assert (balance.delivered, balance.flagged) == (len(run.accepted), 0)
    assert len(relay.received) == len(run.accepted)


def test_a_start_without_room_is_told(disk: Disk) -> None:
    """Fault 16: a daemon that a full disk does not let start says so by its alarm command, once for many tries."""
    told = disk.folder.with_name("told")
    with FaultRun(disk.folder, 1, alarm__command=f"tee -a {told}") as run:
        assert run.daemon.stop() == 0
        (run.daemon.data_dir / "reserve").unlink()
        disk.fill_up()
        for _ in range(3):
            run.daemon.spawn()
            assert run.daemon.wait() == TEMPORARY
        disk.make_room()
        run.daemon.start()
    alarm = json.loads(told.read_text())  # it is one object: a second alarm would stand behind it
    assert "check the disk" in alarm["facts"]["fault"]


def posted_at_once(run: FaultRun) -> list[int]:
    """Post from many clients at the same time; return the answers that came, and note the ids of those accepted."""

    def post(number: int) -> int:
        with suppress(OSError):  # the daemon has ended already
            answer = run.daemon.post({"subject": f"at once {number}"})
            if answer.status == 202:
                run.accepted.append(answer.json["id"])
            return answer.status
        return 503

    with ThreadPoolExecutor(POSTERS) as pool:
        return list(pool.map(post, range(POSTERS)))


def test_a_failing_fsync(tmp_path: Path) -> None:
    """Fault 17: after a failed fsync waiting posts fail, the daemon ends with 74, and what it took is sent later."""
    with background_relay(MAIL=LATER) as relay:
        run = FaultRun(tmp_path, relay.port)
        run.daemon.program = [require("fiu-run"), "-x", "-f", str(tmp_path / "fiu"), *HASTY]
        with run:
            run.post_many(BACKLOG)
            fail = "enable name=posix/io/sync/*,failinfo=5"
            subprocess.run(
                [require("fiu-ctrl"), "-f", str(tmp_path / "fiu"), "-c", fail, str(run.daemon.pid)], check=True
            )
            assert set(posted_at_once(run)) == {503}
            assert run.daemon.wait() == DISK_FAILED
            assert not any("Traceback" in line for line in run.daemon.lines)
            run.daemon.program = HASTY
            relay.script("MAIL", "250 2.1.0 ok")
            run.daemon.start()
            run.settle()
            assert run.close(relay.mails).delivered == BACKLOG


def test_a_power_cut(disk: Disk) -> None:
    """Fault 17: a disk that is gone ends the daemon with 74; all that it answered 202 is there when it is back."""
    with background_relay(MAIL=LATER) as relay, FaultRun(disk.folder, relay.port) as run:
        run.post_many(BACKLOG)
        disk.cut_power()
        assert set(posted_at_once(run)) == {503}
        assert run.daemon.wait() == DISK_FAILED
        disk.unmount()
        disk.mount()
        relay.script("MAIL", "250 2.1.0 ok")
        run.daemon.start()
        run.settle()
        assert run.close(relay.mails).delivered == BACKLOG


def pages_of(journal: Path, name: str, kind: str) -> list[int]:
    """Return the pages of a table or index, having moved all that is committed into the file."""
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ?", (name, kind)).fetchall()
    return [number for (number,) in rows]


def overwrite(journal: Path, page: int) -> None:
    """Put rubbish in the place of a page."""
    with journal.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)


@pytest.mark.parametrize(
    ("name", "kind", "loses"),
    [
        ("sqlite_schema", "leaf", False),
        ("envelopes_open", "leaf", False),
        ("alerts", "internal", False),
        ("envelopes", "leaf", False),
        ("alerts", "leaf", True),
    ],
    ids=["the header", "the root of an index", "the root of the alerts", "some envelopes", "some alerts"],
)
def test_a_damaged_journal(tmp_path: Path, name: str, kind: str, *, loses: bool) -> None:
    """Fault 18: all that can be read is sent by the same process, the rest is counted, the old file is kept."""
    mails = count()

    def half_of_them(_: str) -> str | None:
        return None if next(mails) < BACKLOG // 2 else LATER

    with background_relay(MAIL=half_of_them) as relay, FaultRun(tmp_path, relay.port) as run:
        run.post_many(BACKLOG, content="x" * 300)
        run.daemon.wait_for_event("mail_deferred")
        run.daemon.kill()
        journal = run.daemon.data_dir / "journal.sqlite3"
        overwrite(journal, pages_of(journal, name, kind)[-1])
        relay.script("MAIL", "250 2.1.0 ok")
        run.daemon.start()
        rescued = run.daemon.wait_for_event("journal_rescued")
        until(lambda: len(delivered(relay.mails)) == BACKLOG - rescued["lost"], why=lambda: run.daemon.lines[-10:])
        assert (rescued["lost"] > 0) == loses
        assert Path(rescued["old_file"]).exists()
        assert run.daemon.stop() == 0


@pytest.mark.parametrize("kind", ["leaf", "internal"])
def test_damaged_heartbeats(tmp_path: Path, kind: str) -> None:
    """Fault 18, met by the start itself: the daemon comes up all the same, and watches what can be read."""
    with background_relay() as relay, FaultRun(tmp_path, relay.port) as run:
        for number in range(HEARTBEATS):
            assert run.daemon.request("POST", f"/heartbeats/job{number}?period=1d", "x" * 1000).status == 200
        run.daemon.kill()
        journal = run.daemon.data_dir / "journal.sqlite3"
        overwrite(journal, pages_of(journal, "heartbeats", kind)[-1])
        run.daemon.start()
        known = len(run.daemon.get("/heartbeats").json["heartbeats"])
        assert HEARTBEATS // 2 < known <= HEARTBEATS
        assert (known < HEARTBEATS) == (kind == "leaf")
        assert run.daemon.events("journal_rescued")
        assert run.daemon.stop() == 0


def delivered(mails: list[StoredMail]) -> set[str]:
    """Return the subjects of the alerts that came, once or twice."""
    return {parsed(mail)["Subject"].partition("] ")[2] for mail in mails}
