"""How many mails a second leave, from an accepted alert to Debian's smtp-sink."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import peers
from tests.bench.figures import Figure, rounds
from tests.bench.intake import ALERT
from tests.support.daemon import Daemon
from tests.support.ports import free_port

MAILS = 20_000
CONNECTIONS = 4


@contextmanager
def sink(port: int = 0) -> Generator[int, None, None]:
    """Run smtp-sink, which takes every mail and keeps none; yields its port, a free one unless it is given."""
    port = port or free_port()
    process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1000"])
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def end_to_end() -> Iterator[Figure]:
    """Post, queue, render, send and mark, all at once; beside a bare SMTP client without a queue."""
    with sink() as port, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        settings = {"relay": f"smtp://127.0.0.1:{port}", "mail_from": "a@example.org", "mail_to": "b@example.org"}
        with Daemon(Path(folder, "var"), relay_connections=CONNECTIONS, **settings) as daemon:
            daemon.start()
            ours, span = rounds(lambda: _mails_per_second(daemon))
        yield Figure(f"mails end to end, {CONNECTIONS} connections", f"{ours:,.0f}/s ({span})", "4,000/s")
        data = b"Subject: disk full on db1\r\n\r\n" + b"x" * 70 + b"\r\n"

        def bare() -> float:
            return asyncio.run(peers.aiosmtplib_mails_per_second(port, data, connections=CONNECTIONS, mails=4000))

        theirs, span = rounds(bare)
    yield Figure("aiosmtplib alone, no queue, one ready-made mail", f"{theirs:,.0f}/s ({span})")


def _mails_per_second(daemon: Daemon) -> float:
    begun = time.perf_counter()
    for _ in range(MAILS // 1000):
        assert daemon.post([ALERT] * 1000).status == 202
    daemon.wait_until_idle(timeout=300)
    return MAILS / (time.perf_counter() - begun)
