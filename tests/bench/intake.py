"""How many alerts a second are taken, each on the disk before its answer."""

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import peers, wrk
from tests.bench.figures import ROUNDS, Figure
from tests.support.daemon import Daemon

ALERT = {
    "subject": "disk full on db1",
    "content": "/dev/sda1 is 97 % full on db1, 1.2 GB left of 40 GB. Look at /var/log first.",
    "severity": "error",
    "source": "node",
    "labels": {"host": "db1", "job": "node"},
}
BATCH = 100


@contextmanager
def accepting_daemon() -> Generator[Daemon, None, None]:
    """Run a daemon whose relay is down: what is measured is the intake alone."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # on the disk that the project is on, no tmpfs
        settings = {"relay": "smtp://127.0.0.1:1", "mail_from": "a@example.org", "mail_to": "b@example.org"}
        with Daemon(Path(folder, "var"), **settings) as daemon:
            yield daemon.start()


def _loads(url: str, body: Any) -> list[wrk.Load]:
    return [wrk.post(url, body) for _ in range(ROUNDS)]


def _row(what: str, loads: list[wrk.Load], aim: str = "", *, times: int = 1) -> Figure:
    per_second = median(load.per_second for load in loads) * times
    p99 = median(load.p99_ms for load in loads)
    refused = sum(load.refused for load in loads)
    bad = f", {refused} refused" if refused else ""
    return Figure(what, f"{per_second:,.0f}/s, p99 {p99:.1f} ms{bad}", aim)


def single_posts() -> Iterator[Figure]:
    """Single posts over 64 connections, beside the bare server and Alertmanager."""
    with accepting_daemon() as daemon:
        ours = _loads(f"http://127.0.0.1:{daemon.port}/alerts", ALERT)
    yield _row("durable single posts, 64 connections", ours, "20,000/s, p99 under 15 ms")
    with peers.bare_asgi() as url:
        yield _row("the server alone: uvicorn, nothing read or kept", _loads(url, ALERT))
    if not shutil.which("prometheus-alertmanager"):
        return
    theirs = [{"labels": {"alertname": "disk full", "host": "db1", "job": "node", "severity": "error"}}]
    with peers.alertmanager() as url:
        loads = _loads(url, theirs)
    yield _row("the same to Alertmanager, in RAM only", loads)


def batches() -> Iterator[Figure]:
    """Arrays of 100 alerts over 8 connections."""
    with accepting_daemon() as daemon:
        url = f"http://127.0.0.1:{daemon.port}/alerts"
        loads = [wrk.post(url, [ALERT] * BATCH, connections=8) for _ in range(ROUNDS)]
    yield _row(f"durable alerts in arrays of {BATCH}, 8 connections", loads, "60,000/s", times=BATCH)
