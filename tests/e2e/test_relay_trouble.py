"""A relay that is down or slow: alerts are accepted all the same, and every mail leaves in the end."""

import asyncio
import time
from email import message_from_bytes
from pathlib import Path

from app.delivery.track_record import NOT_TAKEN
from tests.support.daemon import Daemon
from tests.support.ports import free_port
from tests.support.scripted_smtp import ScriptedSmtp, StoredMail
from tests.support.smtp_actions import Delay

ADDRESSES = {"mail_from": "alerts@example.org", "mail_to": "ops@example.org"}


def subjects(mails: list[StoredMail]) -> set[str]:
    return {message_from_bytes(mail.data)["Subject"].partition("] ")[2] for mail in mails}


def post_many(daemon: Daemon, count: int) -> set[str]:
    """Post `count` alerts in one array and return their subjects."""
    names = [f"alert {number}" for number in range(count)]
    assert daemon.post([{"subject": name} for name in names]).status == 202
    return set(names)


async def until(daemon: Daemon, status: str) -> dict[str, object]:
    """Return the health once its status is as wanted."""
    for _ in range(300):
        health: dict[str, object] = (await asyncio.to_thread(daemon.get, "/healthz")).json
        if health["status"] == status:
            return health
        await asyncio.sleep(0.05)
    raise AssertionError(health)


async def test_relay_down_for_a_whole_run(tmp_path: Path) -> None:
    """With the relay down alerts are accepted and health degrades; on its return all are delivered."""
    relay = ScriptedSmtp(port=free_port())
    with Daemon(tmp_path / "var", relay=f"smtp://127.0.0.1:{relay.port}", degraded_after="1s", **ADDRESSES) as daemon:
        await asyncio.to_thread(daemon.start)
        wanted = await asyncio.to_thread(post_many, daemon, 50)
        health = await until(daemon, "degraded")
        assert health["queue_depth"] == 50
        assert "cannot connect" in str(health["relay"])
        async with relay:
            await asyncio.to_thread(daemon.wait_until_idle, timeout=90)
            assert (await until(daemon, "ok"))["queue_depth"] == 0
            assert subjects(relay.mails) == wanted
            assert await asyncio.to_thread(daemon.stop) == 0


async def test_sigterm_sends_what_is_queued(tmp_path: Path) -> None:
    """SIGTERM with 500 mails queued and a slow relay: all are delivered, then the daemon exits with 0."""
    async with ScriptedSmtp(DOT=lambda _: Delay(0.03, "250 ok")) as relay:
        with Daemon(tmp_path / "var", relay=f"smtp://127.0.0.1:{relay.port}", **ADDRESSES) as daemon:
            await asyncio.to_thread(daemon.start)
            wanted = await asyncio.to_thread(post_many, daemon, 500)
            assert len(relay.mails) < 400
            assert await asyncio.to_thread(daemon.stop) == 0
            assert subjects(relay.mails) == wanted
            assert daemon.events("drained")[0]["left_in_journal"] == 0


async def test_intake_ends_first_while_the_server_still_listens(tmp_path: Path) -> None:
    """During the drain POST and /healthz answer 503 with Retry-After, and queued mail goes on leaving."""
    async with ScriptedSmtp(DOT=lambda _: Delay(0.2, "250 ok")) as relay:
        with Daemon(tmp_path / "var", relay=f"smtp://127.0.0.1:{relay.port}", **ADDRESSES) as daemon:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(post_many, daemon, 40)
            daemon.signal()
            await asyncio.to_thread(daemon.wait_for_event, "drain_started")
            refused = await asyncio.to_thread(daemon.post, {"subject": "too late"})
            health = await asyncio.to_thread(daemon.get, "/healthz")
            assert (refused.status, refused.headers["retry-after"]) == (503, "10")
            assert (health.status, health.json["status"]) == (503, "closing")
            assert await asyncio.to_thread(daemon.wait) == 0
            assert len(relay.mails) == 40


async def test_sigterm_with_a_dead_relay_leaves_all_to_the_next_start(tmp_path: Path) -> None:
    """With a dead relay the drain ends in time with 0; all stays in the journal and leaves after the next start."""
    relay = ScriptedSmtp(port=free_port())
    settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "drain_timeout": "5s", **ADDRESSES}
    with Daemon(tmp_path / "var", **settings) as daemon:
        await asyncio.to_thread(daemon.start)
        wanted = await asyncio.to_thread(post_many, daemon, 500)
        begun = time.monotonic()
        assert await asyncio.to_thread(daemon.stop) == 0
        assert time.monotonic() - begun < 5 + 10  # the drain's deadline and a generous guard
        assert daemon.events("drained")[0]["left_in_journal"] == 500
        async with relay:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_until_idle)
            assert subjects(relay.mails) == wanted


async def test_a_relay_that_hangs_past_the_deadline_is_cut_off(tmp_path: Path) -> None:
    """A mail past its final dot at the deadline is recorded as ambiguous and sent again by the next start."""
    async with ScriptedSmtp(DOT=lambda _: Delay(60, "250 ok")) as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "drain_timeout": "1s", **ADDRESSES}
        with Daemon(tmp_path / "var", **settings) as daemon:
            await asyncio.to_thread(daemon.start)
            number = (await asyncio.to_thread(daemon.post, {"subject": "slow"})).json["id"]
            while not relay.received:
                await asyncio.sleep(0.01)
            assert await asyncio.to_thread(daemon.stop) == 0
            assert daemon.events("mail_deferred")[0]["ambiguous"] is True
            await asyncio.to_thread(daemon.start)
            recipient = (await asyncio.to_thread(daemon.get, f"/alerts/{number}")).json["mails"][0]["recipients"][0]
            assert (recipient["state"], recipient["possibly_twice"]) == ("pending", True)


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """A second signal ends the daemon with status 1; what is queued is delivered by the next start."""
    async with ScriptedSmtp(DOT=lambda _: Delay(0.5, "250 ok")) as relay:
        with Daemon(tmp_path / "var", relay=f"smtp://127.0.0.1:{relay.port}", **ADDRESSES) as daemon:
            await asyncio.to_thread(daemon.start)
            wanted = await asyncio.to_thread(post_many, daemon, 50)
            daemon.signal()
            await asyncio.to_thread(daemon.wait_for_event, "drain_started")
            daemon.signal()
            assert await asyncio.to_thread(daemon.wait) == 1
            relay.script("DOT", "250 ok")
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.wait_until_idle)
            assert subjects(relay.mails) == wanted


async def test_every_attempt_sends_the_same_bytes(tmp_path: Path) -> None:
    """Server name, sender and templates changed between two attempts of one mail: the same bytes arrive."""
    templates = tmp_path / "templates"
    templates.mkdir()
    async with ScriptedSmtp(DOT=["451 4.3.0 later", "451 4.3.0 later"]) as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "server_name": "before", **ADDRESSES}
        with Daemon(tmp_path / "var", **settings) as daemon:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(daemon.post, {"subject": "grüße", "content": "one\n.two", "labels": {"a": "b"}})
            await asyncio.to_thread(daemon.wait_for_event, "mail_deferred")
            await asyncio.to_thread(daemon.stop)
            (templates / "alert.txt.j2").write_text("another text")
            daemon.set(server_name="after", mail_from="other@example.net", templates_dir=templates)
            await asyncio.to_thread(daemon.start)
            daemon.signal()  # the drain tries the waiting retry
            assert await asyncio.to_thread(daemon.wait) == 0
    assert len(relay.received) == 3
    assert len({(mail.sender, mail.wire) for mail in relay.received}) == 1
    assert message_from_bytes(relay.mails[0].data)["Subject"].startswith("=?utf-8?")


async def test_a_relay_that_refuses_every_sender_does_not_burn_the_queue(tmp_path: Path) -> None:
    """From the fifth mail in a row whose MAIL is refused the mails wait, health says why, and they leave later."""
    async with ScriptedSmtp(MAIL=lambda _: "550 5.7.1 sender denied") as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "relay_connections": 1, "degraded_after": "1s"}
        with Daemon(tmp_path / "var", **settings, **ADDRESSES) as daemon:
            await asyncio.to_thread(daemon.start)
            wanted = await asyncio.to_thread(post_many, daemon, 20)
            health = await until(daemon, "degraded")
            assert health["queue_depth"] == 16
            assert "set mail_from" in str(health["relay"])
            relay.script("MAIL", "250 ok")
            await asyncio.to_thread(daemon.wait_until_idle)
            assert len(subjects(relay.mails) & wanted) == 16


async def test_a_relay_that_only_says_later_degrades_health(tmp_path: Path) -> None:
    """Mail that cannot leave is told, whatever the relay's reason; it is no fault of the relay itself."""
    async with ScriptedSmtp(DOT=lambda _: "451 4.3.0 try later") as relay:
        settings = {"relay": f"smtp://127.0.0.1:{relay.port}", "degraded_after": "1s"}
        with Daemon(tmp_path / "var", **settings, **ADDRESSES) as daemon:
            await asyncio.to_thread(daemon.start)
            await asyncio.to_thread(post_many, daemon, NOT_TAKEN - 1)
            health = await until(daemon, "degraded")
            assert "451 4.3.0 try later" in str(health["relay"])
            assert not daemon.events("relay_fault")
