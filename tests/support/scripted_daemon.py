"""A small HTTP server in the daemon's place: it answers as a test says, and keeps what was posted."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INVALID = "/problems/invalid-alert"  # the type of a problem document, as in app/httpkit/problems.py
ACCEPTED = (202, {"id": "0ABCDEFGHJKMN", "status": "accepted"})


@dataclass(frozen=True)
class Post:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def alert(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class ScriptedDaemon(ThreadingHTTPServer):
    """Gives the answers in order, the last one again and again. Each is a status, a body, and perhaps headers.

    An object with an error status is a problem document, as the real daemon sends it.
    """

    def __init__(self, *answers: tuple[Any, ...], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers = list(answers or [ACCEPTED])
        self.posts: list[Post] = []
        self._silent: tuple[str, ...] = ()
        self._speak = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def alert(self) -> Any:
        """The one alert that was posted."""
        (post,) = self.posts
        return post.alert

    @contextmanager
    def silent(self, *endings: str) -> Iterator[None]:
        """Answer nothing to what is posted to a path with one of these endings, up to the end of the block."""
        self._silent, self._speak = endings, threading.Event()
        try:
            yield
        finally:
            self._speak.set()

    def stay_silent(self, path: str) -> None:
        """Return once the path is to be answered."""
        if path.endswith(self._silent):
            self._speak.wait()

    def next_answer(self) -> tuple[Any, ...]:
        """Return what is to be answered now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedDaemon

    def do_POST(self) -> None:
        """Keep the request, and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.posts.append(Post(self.path, dict(self.headers), body))
        self.server.stay_silent(self.path)
        status, answer, *more = self.server.next_answer()
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        is_problem = status >= 400 and isinstance(answer, dict)
        fields = ({"Content-Type": "application/problem+json"} if is_problem else {}) | (more[0] if more else {})
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def scripted_daemon(*answers: tuple[Any, ...], port: int = 0) -> Iterator[ScriptedDaemon]:
    """Run one until the end of the block."""
    daemon = ScriptedDaemon(*answers, port=port)
    threading.Thread(target=daemon.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield daemon
    finally:
        daemon.shutdown()
        daemon.server_close()
