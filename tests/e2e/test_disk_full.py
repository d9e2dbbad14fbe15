"""A disk that is full: alerts are refused for a while, nothing accepted is lost, and all is well again by itself."""

import asyncio
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.background_relay import parsed
from tests.support.daemon import Daemon, mail_settings
from tests.support.requirements import missing, require_root
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail
from tests.support.smtp_actions import Wait
from tests.support.waiting import until

MIB = 1 << 20
DISK_MIB = 12
RESERVE_MIB = 4
CONTENT = "x" * 20_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of our own, nearly full of something else."""
    require_root()
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        missing(f"no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
    try:
        _ballast(folder).write_bytes(bytes((DISK_MIB - RESERVE_MIB - 2) * MIB))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _ballast(disk: Path) -> Path:
    return disk / "ballast"


def fill_up(disk: Path) -> None:
    """Take the last byte of the disk."""
    with _ballast(disk).open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0


def make_room(disk: Path) -> None:
    _ballast(disk).unlink()


def post_until_refused(daemon: Daemon) -> set[str]:
    """Return the subjects of the alerts that were answered 202, once one is answered 503."""
    accepted: set[str] = set()
    for number in range(1000):
        answer = daemon.post({"subject": f"alert {number}", "content": CONTENT})
        if answer.status != 202:
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "disk is full" in answer.json["detail"]
            return accepted
        accepted.add(f"alert {number}")
    raise AssertionError("the disk never was full")


def wait_until_healthy(daemon: Daemon) -> None:
    until(lambda: daemon.get("/healthz").status == 200, why=lambda: daemon.get("/healthz").body)


def subjects(mails: list[StoredMail]) -> Counter[str]:
    return Counter(parsed(mail)["Subject"].partition("] ")[2] for mail in mails)


async def test_a_full_disk_is_outlived(disk: Path) -> None:
    """Full: 503, but no crash. Room again: healthy without any post. All that was accepted is delivered, once."""
    async with ScriptedSmtp() as relay:
        with Daemon(disk / "var", **mail_settings(relay.port)) as daemon:
            await asyncio.to_thread(daemon.start)
            accepted = await asyncio.to_thread(post_until_refused, daemon)
            fill_up(disk)
            health = await asyncio.to_thread(daemon.get, "/healthz")
            assert (health.status, health.json["status"]) == (503, "unavailable")
            assert (await asyncio.to_thread(daemon.get, "/alerts")).status == 200
            make_room(disk)
            await asyncio.to_thread(wait_until_healthy, daemon)
            assert (await asyncio.to_thread(daemon.post, {"subject": "after"})).status == 202
            await asyncio.to_thread(daemon.wait_until_idle)
            assert await asyncio.to_thread(daemon.stop) == 0
    assert subjects(relay.mails) == Counter(accepted | {"after"})


async def test_outcomes_seen_while_the_disk_is_full_are_kept(disk: Path) -> None:
    """Mails that leave while the disk is full are marked as sent in the room of the reserve, even if power is cut."""
    held = Wait("250 2.0.0 ok")
    async with ScriptedSmtp(DOT=held) as relay:
        with Daemon(disk / "var", **mail_settings(relay.port)) as daemon:
            await asyncio.to_thread(daemon.start)
            accepted = await asyncio.to_thread(post_until_refused, daemon)
            fill_up(disk)
            held.event.set()
            await asyncio.to_thread(daemon.wait_until_idle)
            assert (await asyncio.to_thread(daemon.post, {"subject": "too early"})).status == 503
            daemon.kill()
            make_room(disk)
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_until_idle)
            listed = (await asyncio.to_thread(daemon.get, "/alerts?limit=500&state=sent")).json["alerts"]
            assert {alert["subject"] for alert in listed} == accepted
    assert subjects(relay.received) == Counter(accepted)


async def test_a_start_on_a_full_disk_can_be_tried_again(disk: Path) -> None:
    """It ends with 75, not 78 after which a service manager gives up, and succeeds once there is room."""
    with Daemon(disk / "var", **mail_settings(1)) as daemon:
        await asyncio.to_thread(daemon.start)
        assert await asyncio.to_thread(daemon.stop) == 0
        fill_up(disk)
        daemon.spawn()
        assert await asyncio.to_thread(daemon.wait) == 75
        assert not any("Traceback" in line for line in daemon.lines)
        make_room(disk)
        await asyncio.to_thread(daemon.start)
