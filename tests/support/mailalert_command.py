"""The command `mailalert`, run as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HANG = 60  # seconds; a command takes less than one
ROOT = Path(__file__).parents[2]


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without any MAILALERT_* of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAILALERT_")}
    return inherited | {"HOME": str(home), "PYTHONPATH": str(ROOT)} | dict(extra)


def mailalert(
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in `home` and return how it ended; stdin is closed to it unless given."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=home,
        env=environment(home, environ or {}),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=HANG,
        check=False,
    )


async def mailalert_beside(
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Do the same while the loop goes on, for a server that runs in it."""
    return await asyncio.to_thread(mailalert, *arguments, home=home, environ=environ)
