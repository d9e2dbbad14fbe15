"""An alert storm behind a dead relay, and how it leaves when the relay is back."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.delivery import sink
from tests.bench.figures import Figure
from tests.bench.intake import ALERT
from tests.support.daemon import Daemon
from tests.support.ports import free_port

STORM = 100_000  # alerts


def behind_a_dead_relay() -> Iterator[Figure]:
    """Post the storm while nobody listens at the relay's port, then let smtp-sink listen there."""
    port = free_port()
    settings = {"relay": f"smtp://127.0.0.1:{port}", "mail_from": "a@example.org", "mail_to": "b@example.org"}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Daemon(Path(folder, "var"), **settings) as daemon:
        daemon.start()
        for _ in range(STORM // 1000):
            assert daemon.post([ALERT] * 1000).status == 202
        yield Figure(
            f"RSS with {STORM:,} alerts behind a dead relay", f"{daemon.rss_bytes / 1e6:.0f} MB", "under 200 MB"
        )
        with sink(port):
            begun = time.perf_counter()
            daemon.wait_until_idle(timeout=600)
            seconds = time.perf_counter() - begun
        yield Figure("they leave once the relay is back", f"{STORM / seconds:,.0f}/s, {seconds:.0f} s")
        yield Figure("RSS after that", f"{daemon.rss_bytes / 1e6:.0f} MB", "under 200 MB")
