"""What a start says and checks: the notice by mail, the lock, the mode of the journal."""

import asyncio
import sqlite3
import time
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from app.storage.database import JOURNAL_FILE
from tests.support.daemon import Daemon
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail

ADDRESSES = {"mail_from": "alerts@example.org", "mail_to": "ops@example.org", "server_name": "mail1"}


def parsed(mail: StoredMail) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(mail.data, policy=policy.default))


def text_of(mail: StoredMail) -> str:
    body = parsed(mail).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def started_anew(daemon: Daemon) -> None:
    """Kill the daemon once nothing waits, and start it again."""
    await asyncio.to_thread(daemon.wait_until_idle)
    await asyncio.to_thread(daemon.kill)
    await started(daemon)


async def started(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.start)
    await asyncio.to_thread(daemon.wait_for_event, "started")
    await asyncio.to_thread(daemon.wait_until_idle)


async def test_the_notice_is_mailed(tmp_path: Path) -> None:
    """On start a mail says that the system has started, with version, host, time and how the last run ended."""
    async with ScriptedSmtp() as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "startup_notice": "true", **ADDRESSES}
        with Daemon(tmp_path / "var", **settings) as daemon:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_for_event, "mail_sent")
    notice = relay.mails[0]
    assert parsed(notice)["Subject"] == "[mail1] Mail Alert System started"
    assert text_of(notice).startswith("You have started Mail Alert System.\n")
    for fact in ("Version: 0.", "Host: ", "Time: ", "Recovered from the journal: nothing", "Last run: none"):
        assert fact in text_of(notice)


async def test_a_restart_loop_does_not_flood(tmp_path: Path) -> None:
    """After unclean ends there is one notice in ten minutes, and a later one counts the starts between."""
    async with ScriptedSmtp() as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "startup_notice": "true", **ADDRESSES}
        with Daemon(tmp_path / "var", **settings) as daemon:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_for_event, "mail_sent")
            await started_anew(daemon)
            await started_anew(daemon)
            await asyncio.to_thread(daemon.kill)
            await started(daemon)
            assert len(relay.mails) == 1
            assert await asyncio.to_thread(daemon.stop) == 0
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_for_event, "mail_sent")
    assert "Last run: ended cleanly." in text_of(relay.mails[1])
    assert "not announced: 3" in text_of(relay.mails[1])


async def test_the_notice_waits_for_the_relay_and_tells_what_was_recovered(tmp_path: Path) -> None:
    """The notice is an ordinary mail: refused for now, it is tried again; it counts what an earlier run left."""
    async with ScriptedSmtp(GREETING=["421 busy"] * 40) as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "startup_notice": "false", **ADDRESSES}
        with Daemon(tmp_path / "var", **settings) as daemon:
            await asyncio.to_thread(daemon.start)
            assert (await asyncio.to_thread(daemon.post, {"subject": "waiting"})).status == 202
            await asyncio.to_thread(daemon.wait_for_event, "relay_fault")
            await asyncio.to_thread(daemon.kill)
            relay.script("GREETING", ["421 busy"])
            daemon.set(startup_notice="true")
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_for_event, "mail_sent", count=2)
    notice = next(mail for mail in relay.mails if "started" in parsed(mail)["Subject"])
    assert "Recovered from the journal: 1 unsent mail" in text_of(notice)
    assert "did not end cleanly" in text_of(notice)


def test_a_stop_writes_the_clocks_down(tmp_path: Path) -> None:
    """The next run counts on from the end of this one, not from the last full minute."""
    with Daemon(tmp_path / "var", relay="smtp://127.0.0.1:1", **ADDRESSES) as daemon:
        daemon.start()
        daemon.wait_for_event("started")
        before_the_stop_ms = time.time_ns() // 1_000_000
        assert daemon.stop() == 0
    with closing(sqlite3.connect(tmp_path / "var" / JOURNAL_FILE)) as connection:
        (kept_at_ms,) = connection.execute("SELECT value FROM meta WHERE name = 'kept_at'").fetchone()
    assert kept_at_ms >= before_the_stop_ms


async def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """The data directory is locked: a second daemon exits with 75 and names the first one's process id."""
    settings = {"relay": "smtp://127.0.0.1:1", **ADDRESSES}
    with Daemon(tmp_path / "var", **settings) as first, Daemon(tmp_path / "var", **settings) as second:
        await asyncio.to_thread(first.start)
        second.spawn()
        assert await asyncio.to_thread(second.wait) == 75
        assert str(first.pid) in "\n".join(second.lines)


async def test_a_journal_is_served_only_in_its_mode(tmp_path: Path) -> None:
    """Sandbox alerts never reach people and real ones are never swallowed: the other mode is refused with 78."""
    live = {"relay": "smtp://127.0.0.1:1", **ADDRESSES}
    for data_dir, made, refused in (
        (tmp_path / "sandbox", ("--sandbox",), ()),
        (tmp_path / "live", (), ("--sandbox",)),
    ):
        with Daemon(data_dir, *made, **live) as maker, Daemon(data_dir, *refused, **live) as other:
            await asyncio.to_thread(maker.start)
            assert await asyncio.to_thread(maker.stop) == 0
            other.spawn()
            assert await asyncio.to_thread(other.wait) == 78
            assert str(data_dir) in "\n".join(other.lines)
