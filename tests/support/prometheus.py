"""Prometheus with Alertmanager behind it: one rule over one number, which a test turns up and down."""

import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self

from tests.support.own_server import running
from tests.support.ports import free_port
from tests.support.requirements import require
from tests.support.waiting import until_it_answers

RULES = """
groups:
  - name: disks
    rules:
      - alert: DiskFull
        expr: disk_used_percent > 90
        labels: {severity: critical}
        annotations: {summary: "Disk of db1 is full", description: "{{ $value }} % used"}
"""


class Gauge:
    """A number at /metrics."""

    def __init__(self) -> None:
        gauge = self
        self.value = 0.0

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"disk_used_percent {gauge.value}\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[int]:
    """Run Alertmanager that posts to `webhook`, resolved alerts too; yields its port."""
    program, port = require("prometheus-alertmanager"), free_port()
    folder.mkdir()
    config = f"""
        route: {{receiver: mail, group_wait: 0s, group_interval: 1s}}
        receivers: [{{name: mail, webhook_configs: [{{url: "{webhook}", send_resolved: true}}]}}]
    """
    (folder / "alertmanager.yml").write_text(textwrap.dedent(config))
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with running([program, "--config.file=alertmanager.yml", "--storage.path=data", *listen], folder):
        until_it_answers(port)
        yield port


@contextmanager
def monitored_disk(folder: Path, alertmanager_port: int) -> Iterator[Gauge]:
    """Run Prometheus with a rule over the gauge that is yielded: over 90 it fires."""
    program, port = require("prometheus"), free_port()
    folder.mkdir()
    with ExitStack() as stack:
        gauge = stack.enter_context(Gauge())
        (folder / "rules.yml").write_text(RULES)
        config = f"""
            global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
            rule_files: [rules.yml]
            alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager_port}"]}}]}}]}}
            scrape_configs: [{{job_name: disk, static_configs: [{{targets: ["127.0.0.1:{gauge.port}"]}}]}}]
        """
        (folder / "prometheus.yml").write_text(textwrap.dedent(config))
        command = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        stack.enter_context(running([*command, f"--web.listen-address=127.0.0.1:{port}"], folder))
        until_it_answers(port)
        yield gauge
