"""The peers that are measured in the same run: what people would use instead."""

import asyncio
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import aiosmtplib

from tests.support.ports import free_port

CONFIG = """
route: {receiver: nobody, group_wait: 1h}
receivers: [{name: nobody}]
"""


@contextmanager
def alertmanager() -> Generator[str, None, None]:
    """Run Prometheus Alertmanager from Debian; yields the URL that takes alerts. It keeps them in RAM only."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "alertmanager.yml")
        config.write_text(CONFIG)
        process = subprocess.Popen(
            [
                "prometheus-alertmanager",
                f"--config.file={config}",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/-/ready")
            yield f"http://127.0.0.1:{port}/api/v2/alerts"
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def bare_asgi() -> Generator[str, None, None]:
    """Run uvicorn with an application that keeps nothing; yields its URL. No Python server here does more."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_asgi", str(port)])
    try:
        _wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


async def aiosmtplib_mails_per_second(port: int, data: bytes, *, connections: int, mails: int) -> float:
    """Send with a stop-and-wait client that reuses its connections."""

    async def send(count: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for _ in range(count):
                await client.sendmail("a@example.org", ["b@example.org"], data)

    begun = time.perf_counter()
    await asyncio.gather(*(send(mails // connections) for _ in range(connections)))
    return mails / (time.perf_counter() - begun)
