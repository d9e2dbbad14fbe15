"""Runs Debian's wrk, one thread beside the server's one."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests a second, the 99th percentile in milliseconds, answers that were no 2xx."""

    per_second: float
    p99_ms: float
    refused: int


def post(url: str, body: Any, *, connections: int = 64, seconds: int = 6) -> Load:
    """POST `body` as JSON again and again, and return what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        script.write_text(
            'wrk.method = "POST"\n'
            f"wrk.body = [==[{json.dumps(body)}]==]\n"  # a long bracket of Lua, which JSON never closes
            'wrk.headers["Content-Type"] = "application/json"\n'
        )
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return _parsed(out)


def _parsed(out: str) -> Load:
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()  # type: ignore[union-attr]  # always printed
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)  # type: ignore[union-attr]  # always printed
    return Load(float(per_second), float(number) * UNITS[unit], int(refused.group(1)) if refused else 0)
