"""The end of an IMAP session whose server hangs: no thread is left, no socket, and nothing waits for either."""

import asyncio
import gc
import sys
import threading
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.domain.mailbox_session import MailboxFault
from app.mailbox.imap_opening import open_imap
from app.mailbox.opening import session_by
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin
from tests.support.imap_sessions import HANG, LOGIN, PATIENT, fetch_all, open_at
from tests.support.scripted_imap import ScriptedImap
from tests.support.smtp_actions import Hang, Script

MAILS = [b"Subject: x\r\n\r\n"]
HOUR_S = 3600.0  # so that no deadline ends what should be cut
ENDLESS = MailboxTimeouts(HOUR_S, HOUR_S, HOUR_S, HOUR_S, HOUR_S, HOUR_S)
CLIENT = """
import asyncio
from app.mailbox.opening import open_mailbox, session_by
from app.domain.login import Login
from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin

async def read(port):
    server = MailboxServer(host="127.0.0.1", port=port, security=MailboxSecurity.IMAP, username="tim")
    endless = MailboxTimeouts(*[3600] * 6)
    async with session_by(open_mailbox(server, FixedLogin(Login("tim", "tanstaaf")), timeouts=endless)) as session:
        await session.entries()

async def main(port):
    reading = asyncio.create_task(read(port))
    await asyncio.get_running_loop().run_in_executor(None, input)

asyncio.run(main({port}))
"""


async def nothing_is_left() -> None:
    """Return once no thread of a session is there; a socket that nobody closed would warn of itself."""
    async with asyncio.timeout(HANG):
        while any(thread.name.startswith("imap") for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
    gc.collect()


async def cancelled(work: Coroutine[Any, Any, object], *, once: asyncio.Event) -> None:
    """Run `work` until the server hangs, and cancel it then."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(HANG):
        await once.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def hanging_at(step: str, reached: asyncio.Event) -> dict[str, Script]:
    """Return the script of a server that hangs there."""

    def hang(_: str) -> Hang:
        reached.set()
        return Hang()

    return {step: hang}


@pytest.mark.parametrize("step", ["GREETING", "CAPABILITY", "AUTHENTICATE", "ID", "SELECT"])
async def test_an_opening_is_given_up(step: str) -> None:
    """At once, wherever the server hangs."""
    reached = asyncio.Event()
    async with ScriptedImap(MAILS, **hanging_at(step, reached)) as server:
        await cancelled(open_at(server, timeouts=ENDLESS), once=reached)
        await nothing_is_left()


async def test_an_opening_is_given_up_amid_the_start_of_tls() -> None:
    """A server that does not answer to TLS holds no thread."""
    reached = asyncio.Event()
    async with ScriptedImap(MAILS, **hanging_at("GREETING", reached)) as server:
        mailbox = MailboxServer(host="127.0.0.1", port=server.port, security=MailboxSecurity.IMAP_TLS, username="tim")
        await cancelled(open_imap(mailbox, FixedLogin(LOGIN), timeouts=ENDLESS), once=reached)
        await nothing_is_left()


@pytest.mark.parametrize("step", ["FETCH", "IDLE"])
async def test_a_session_is_cut(step: str) -> None:
    """Whoever waits has a fault at once, and the thread ends."""
    reached = asyncio.Event()
    async with ScriptedImap(MAILS, **hanging_at(step, reached)) as server:
        session = await open_at(server, timeouts=ENDLESS)
        waiting = asyncio.create_task(
            session.wait(timedelta(hours=1)) if step == "IDLE" else fetch_all(session, ["1"])  # type: ignore[arg-type]
        )
        async with asyncio.timeout(HANG):
            await reached.wait()
            session.abort()
            with pytest.raises(MailboxFault):
                await waiting
        await nothing_is_left()


async def test_a_block_that_is_cancelled_cuts_its_session() -> None:
    """As when the daemon stops amid a fetch."""
    reached = asyncio.Event()
    async with ScriptedImap(MAILS, **hanging_at("FETCH", reached)) as server:

        async def read() -> None:
            async with session_by(open_at(server, timeouts=ENDLESS)) as session:
                await fetch_all(session, ["1"])

        await cancelled(read(), once=reached)
        await nothing_is_left()


@pytest.mark.parametrize("last", ["DONE", "FETCH", "LOGOUT"])
async def test_an_orderly_end_does_not_wait_for_long(last: str) -> None:
    """Neither for an answer to the last words, nor for the end of what the server was asked before."""
    reached = asyncio.Event()
    hasty_goodbye = replace(ENDLESS, goodbye_s=0.1)
    script = {"IDLE": b"+ idling\r\n"} if last == "DONE" else hanging_at(last, reached)
    async with ScriptedImap(MAILS, **script) as server:
        session = await open_at(server, timeouts=hasty_goodbye)
        if last == "DONE":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.wait(timedelta(hours=1)), 0.2)
        elif last == "FETCH":
            await cancelled(fetch_all(session, ["1"]), once=reached)
        await asyncio.wait_for(session.close(), HANG)
        await nothing_is_left()


async def test_a_program_ends_though_the_server_hangs() -> None:
    """Python waits at its end for every thread that it has a hold on."""
    reached = asyncio.Event()
    async with ScriptedImap(MAILS, **hanging_at("FETCH", reached)) as server:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CLIENT.replace("{port}", str(server.port))), stdin=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(3 * HANG):
            await reached.wait()
            await client.communicate(b"\n")
    assert client.returncode == 0


async def test_a_session_ends_in_order_with_its_block() -> None:
    """The server hears of it."""
    async with ScriptedImap(MAILS) as server:
        async with session_by(open_at(server, timeouts=PATIENT)) as session:
            assert len(await session.entries()) == 1
        with pytest.raises(MailboxFault):
            await session.entries()
        await nothing_is_left()
    assert server.verbs()[-1] == "LOGOUT"
