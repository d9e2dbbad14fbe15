"""The real daemon as a process of its own, on a free port, for tests to post to, signal and kill.

Everything here blocks: a test in an event loop calls it through `asyncio.to_thread`.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

HANG = 30.0  # seconds; a start takes one
PROJECT = Path(__file__).resolve().parents[2]


def mail_settings(port: int, **more: object) -> dict[str, object]:
    """Return settings with which mail leaves through a relay on this port of loopback, and `more`."""
    relay = f"smtp://127.0.0.1:{port}"
    return {"relay": relay, "mail_from": "alerts@example.org", "mail_to": "ops@example.org", **more}


@dataclass(frozen=True)
class Answer:
    """One response of the daemon."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Daemon:
    """`mailalert serve` with the settings given as MAILALERT_* variables. Kill it in `__exit__` at the latest."""

    def __init__(self, data_dir: Path, *arguments: str, **settings: object) -> None:
        self.data_dir = data_dir
        self.port = 0
        self.lines: list[str] = []
        self.variables: dict[str, str] = {}  # of its environment, beside the settings
        self.program = [sys.executable, "-m", "app"]
        self._arguments = arguments
        self._settings = {"startup_notice": "false", "alarm__to": "[]", "http__port": 0, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._said = threading.Condition()

    def start(self) -> Self:
        """Start it, and return once it listens."""
        self.spawn()
        event = self.wait_for_event("listening")
        self.port = urlsplit(event["url"]).port or 0
        return self

    def spawn(self) -> None:
        """Start it and wait for nothing."""
        with self._said:
            self.lines = []
        self._process = subprocess.Popen(
            [*self.program, "serve", *self._arguments],
            cwd=self.data_dir.parent,
            env=self.environment(),
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def environment(self) -> dict[str, str]:
        """Return the process's environment: ours without any setting, and the settings."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("MAILALERT_")}
        settings = {f"MAILALERT_{name.upper()}": str(value) for name, value in self._settings.items()}
        fixed = {"PYTHONPATH": str(PROJECT), "MAILALERT_DATA_DIR": str(self.data_dir)}
        return ours | fixed | self.variables | settings

    def set(self, **settings: object) -> None:
        """Change settings for the next start."""
        self._settings |= settings

    def without(self, name: str) -> None:
        """Leave a setting out, from the next start on."""
        del self._settings[name]

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._said:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._said.notify_all()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def rss_bytes(self) -> int:
        """How much memory the process has in use."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the logged events of this name so far."""
        with self._said:
            parsed = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [event for event in parsed if event["event"] == name]

    def wait_for_event(self, name: str, *, count: int = 1) -> dict[str, Any]:
        """Return the `count`-th event of this name; fail if the daemon ends or is silent for too long."""
        deadline = time.monotonic() + HANG
        while len(found := self.events(name)) < count:
            assert time.monotonic() < deadline, f"no event {name}: {self.lines[-20:]}"
            assert self.is_running or self._reader_alive, f"ended before {name}: {self.lines[-20:]}"
            with self._said:
                self._said.wait(0.2)
        return found[count - 1]

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def _reader_alive(self) -> bool:
        return self._reader is not None and self._reader.is_alive()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = HANG,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """GET `path`."""
        return self.request("GET", path, headers=headers)

    def post(self, alert: Any, path: str = "/alerts") -> Answer:
        """POST an alert as JSON."""
        return self.request("POST", path, json.dumps(alert), {"Content-Type": "application/json"})

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout: float = 2 * HANG) -> int:
        """Return the exit status once it has ended."""
        assert self._process is not None
        status = self._process.wait(timeout)
        if self._reader is not None:
            self._reader.join(HANG)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return status

    def stop(self) -> int:
        """Drain and return the exit status."""
        self.signal()
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        if self.is_running:
            self.signal(signal.SIGKILL)
        if self._process is not None:
            self.wait()

    def wait_until_idle(self, *, timeout: float = HANG) -> None:
        """Wait until nothing is queued."""
        deadline = time.monotonic() + timeout
        while self.get("/healthz").json["queue_depth"]:
            assert time.monotonic() < deadline, self.get("/healthz").json
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
