"""How many small mails a second are read by POP3, beside poplib with the same server in the same run."""

import asyncio
import poplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvloop

from app.domain.login import Login
from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.mailbox.pop3_opening import open_pop3
from app.net.logins import FixedLogin
from tests.bench.fast_pop3 import MAIL
from tests.bench.figures import Figure, rounds_in_turn
from tests.support.certificates import make_authority
from tests.support.dovecot_mailbox import DovecotMailbox

MAILS = 10_000
USER, PASSWORD = "ops", "secret"
MAX_BYTES = 1 << 20


def small_mails() -> Iterator[Figure]:
    """Read a mailbox on loopback, all of it: with Dovecot, and with a server that is faster than any client."""
    for name, server in (("Dovecot", _dovecot), ("a server of ready-made answers", _fast_server)):
        with server() as port:
            ours, our_span, theirs, their_span = rounds_in_turn(partial(_ours, port), partial(_poplib, port))
        what = f"{MAILS:,} small mails by POP3 from {name}"
        yield Figure(what, f"{ours:,.0f}/s ({our_span}), {ours / theirs:.1f} times", "faster than poplib")
        yield Figure("the same by poplib", f"{theirs:,.0f}/s ({their_span})")


def _ours(port: int) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_read_all(port))


async def _read_all(port: int) -> float:
    server = MailboxServer(host="127.0.0.1", port=port, security=MailboxSecurity.POP3, username=USER)
    session = await open_pop3(server, FixedLogin(Login(USER, PASSWORD)))
    uids = [entry.uid for entry in await session.entries()]
    begun = time.perf_counter()
    sizes = [len(mail.data) async for mail in session.fetch(uids, max_bytes=MAX_BYTES)]
    rate = len(uids) / (time.perf_counter() - begun)
    assert sizes == [len(MAIL)] * MAILS
    await session.close()
    return rate


def _poplib(port: int) -> float:
    session = poplib.POP3("127.0.0.1", port)
    session.user(USER)
    session.pass_(PASSWORD)
    count, _ = session.stat()
    begun = time.perf_counter()
    sizes = [len(b"\r\n".join(session.retr(number)[1])) + 2 for number in range(1, count + 1)]
    rate = count / (time.perf_counter() - begun)
    assert sizes == [len(MAIL)] * MAILS
    session.quit()
    return rate


@contextmanager
def _dovecot() -> Generator[int, None, None]:
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = make_authority(Path(folder)).certificate_files()
        with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key) as dovecot:
            dovecot.put_many(USER, [MAIL] * MAILS)
            _poplib(dovecot.ports["pop3"])  # Dovecot writes its index at the first session
            yield dovecot.ports["pop3"]


@contextmanager
def _fast_server() -> Generator[int, None, None]:
    command = [sys.executable, "-m", "tests.bench.fast_pop3", str(MAILS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
