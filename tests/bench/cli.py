"""How long a call of the command line takes, beside what shells have: a cron job pays it each time."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.figures import Figure
from tests.bench.intake import ALERT, accepting_daemon
from tests.support.mailalert_command import environment

CALLS = 21  # of each: the first ones read the disk, and the median does not know them
AIM = "under 150 ms"


def calls() -> Iterator[Figure]:
    """`send` and `run` as processes of their own, beside curl and a shell."""
    with accepting_daemon() as daemon, tempfile.TemporaryDirectory() as folder:
        home, url = Path(folder), f"http://127.0.0.1:{daemon.port}"
        ours = [sys.executable, "-m", "app"]
        yield _row("mailalert send", [*ours, "send", "s", "-m", "text", "--url", url], home, AIM)
        data = ["-H", "Content-Type: application/json", "-d", json.dumps(ALERT), f"{url}/alerts"]
        yield _row("curl, the same post", ["curl", "-sS", "-o", "/dev/null", *data], home)
        yield _row("mailalert run, of a command that succeeds", [*ours, "run", "--url", url, "--", "true"], home, AIM)
        always = ["run", "--on", "always", "--url", url, "--", "true"]
        yield _row("mailalert run, with its alert", [*ours, *always], home, AIM)
        yield _row("sh -c true", ["sh", "-c", "true"], home)
        yield _row("python -c pass", [sys.executable, "-c", "pass"], home)


def _row(what: str, command: Sequence[str], home: Path, aim: str = "") -> Figure:
    times = sorted(_milliseconds(command, home) for _ in range(CALLS))
    return Figure(f"one call of {what}", f"{median(times):.0f} ms ({times[0]:.0f} to {times[-1]:.0f})", aim)


def _milliseconds(command: Sequence[str], home: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        command,
        cwd=home,
        env=environment(home, {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - began) * 1000
