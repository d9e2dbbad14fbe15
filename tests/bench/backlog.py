"""What a million queued alerts cost: memory while they queue up, and the start of a daemon that finds them."""

import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.intake import ALERT, accepting_daemon
from tests.support.daemon import Daemon

QUEUED = 1_000_000


def million_queued() -> Iterator[Figure]:
    """Fill the journal, then kill the daemon and start it again."""
    with accepting_daemon() as daemon:
        for _ in range(QUEUED // 1000):
            assert daemon.post([ALERT] * 1000).status == 202
        yield Figure(f"RSS with {QUEUED:,} alerts queued", f"{daemon.rss_bytes / 1e6:.0f} MB", "under 200 MB")
        daemon.kill()
        begun = time.perf_counter()
        daemon.start()
        _first_health(daemon)
        yield Figure("start with them, until /healthz answers", f"{time.perf_counter() - begun:.2f} s", "under 2 s")
        time.sleep(5)
        yield Figure("RSS after that start", f"{daemon.rss_bytes / 1e6:.0f} MB", "under 200 MB")


def _first_health(daemon: Daemon) -> None:
    health = daemon.get("/healthz")
    assert (health.status, health.json["queue_depth"]) == (200, QUEUED)
