"""The daemon's real routes over a journal in memory, behind a real port: for the commands that ask it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import unquote

from app.domain.envelope import EnvelopeState, QueuedMail
from app.domain.outcome import Outcome
from tests.support.background import BackgroundLoop
from tests.support.factories import Factory, judged
from tests.support.mailalert_command import mailalert
from tests.support.web_site import Site


class RoutesDaemon(ThreadingHTTPServer):
    """Hands each request to the routes, which run in a loop of their own. `asked` are the requests."""

    def __init__(self, loop: BackgroundLoop) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.loop = loop
        self.site = Site()
        self.make = Factory()
        self.asked: list[str] = []

    def put(self, *outcomes: Outcome, **of: Any) -> QueuedMail:
        """Let a mail be in the journal, with the outcomes of one attempt if there are any."""
        mail = self.make.mail(**of)
        self.site.journal.put(mail)
        if outcomes:
            self.loop.run(self._record(mail, outcomes))
        return mail

    async def _record(self, mail: QueuedMail, outcomes: tuple[Outcome, ...]) -> None:
        await self.site.journal.record(judged(mail, outcomes))

    def state(self, mail: QueuedMail) -> EnvelopeState:
        """Return where the mail stands."""
        return self.site.journal.entries[mail.envelope.id].state

    def run(self, *arguments: str, home: Path) -> CompletedProcess[bytes]:
        """Run the command against this daemon."""
        return mailalert(*arguments, "--url", f"http://127.0.0.1:{self.server_port}", home=home)


class _Handler(BaseHTTPRequestHandler):
    server: RoutesDaemon

    def do_GET(self) -> None:
        """Answer as the routes do."""
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer = self.server.loop.run(self.server.site.get(_decoded(self.path), method=self.command, body=body))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        """Likewise."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Likewise."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def _decoded(target: str) -> str:
    """Return the target with its path as servers hand it on; a ? in it begins no query."""
    path, mark, query = target.partition("?")
    return unquote(path).replace("?", "%3F") + mark + query


@contextmanager
def routes_daemon() -> Iterator[RoutesDaemon]:
    """Run one, whose journal is empty, until the end of the block."""
    with BackgroundLoop() as loop:
        server = RoutesDaemon(loop)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
