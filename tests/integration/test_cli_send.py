"""`mailalert send`, as scripts use it, against a small HTTP server."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.mailalert_command import environment, mailalert

ACCEPTED = (202, {"id": "0ABCDEFGHJKMN", "status": "accepted"})
CANARY = "canary-8f3a"


class Daemon(ThreadingHTTPServer):
    """Answers every POST alike, and keeps what was posted."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.answer = status, answer
        self.posts: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def alert(self) -> dict[str, Any]:
        """The one alert that was posted."""
        ((_, _, alert),) = self.posts
        return alert


class Handler(BaseHTTPRequestHandler):
    server: Daemon

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), json.loads(body or b"{}")))
        answer = self.server.answer
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


Start = Callable[..., Daemon]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a daemon with its answer; it is stopped at the end."""
    daemons: list[Daemon] = []

    def run(status: int = ACCEPTED[0], answer: Any = ACCEPTED[1]) -> Daemon:
        daemons.append(Daemon(status, answer))
        threading.Thread(target=daemons[-1].serve_forever, args=(0.01,), daemon=True).start()
        return daemons[-1]

    yield run
    for daemon in daemons:
        daemon.shutdown()
        daemon.server_close()


def test_an_alert_is_posted_and_its_id_printed(start: Start, tmp_path: Path) -> None:
    """Exit 0 and the id on stdout mean that the alert is durable."""
    daemon = start()
    done = mailalert("send", "backup failed", "-m", "no space", "--url", daemon.url, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0ABCDEFGHJKMN\n", b"")
    path, headers, alert = daemon.posts[0]
    assert (path, headers["Content-Type"]) == ("/alerts", "application/json")
    assert alert == {"subject": "backup failed", "content": "no space"}
    assert "Authorization" not in headers


def test_every_field_can_be_given(start: Start, tmp_path: Path) -> None:
    """Severity, status, key, source and labels go into the native fields."""
    daemon = start()
    fields = {"severity": "critical", "status": "resolved", "key": "k", "source": "cron@db1"}
    options = [word for name, value in fields.items() for word in (f"--{name}", value)]
    options += ["--label", "a=1", "--label", "b=x=y"]
    done = mailalert("send", "s", *options, home=tmp_path, environ={"MAILALERT_URL": daemon.url})
    assert done.returncode == 0
    assert daemon.alert == {"subject": "s", "labels": {"a": "1", "b": "x=y"}, **fields}


def test_text_is_read_from_stdin(start: Start, tmp_path: Path) -> None:
    """A pipe becomes the text; a long one keeps its end."""
    daemon = start()
    log = b"first line\n" + b"x" * 600_000 + b"\nlast line\n"
    assert mailalert("send", "s", "--url", daemon.url, home=tmp_path, stdin=log).returncode == 0
    content = daemon.alert["content"]
    assert content.startswith("first line\n")
    assert content.endswith("\nlast line\n")
    assert len(content.encode()) <= 256 * 1024


def test_a_long_subject_is_shortened(start: Start, tmp_path: Path) -> None:
    """An alert is not lost because its subject is too long."""
    daemon = start()
    assert mailalert("send", "x" * 600, "--url", daemon.url, home=tmp_path).returncode == 0
    assert len(daemon.alert["subject"]) == 500


def test_warnings_of_the_daemon_are_shown(start: Start, tmp_path: Path) -> None:
    """What was changed on the way in is said on stderr."""
    daemon = start(202, {**ACCEPTED[1], "warnings": ["the content was cut"]})
    done = mailalert("send", "s", "--url", daemon.url, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"mailalert: the content was cut\n")


@pytest.mark.parametrize("place", ["variable", "home"])
def test_the_token_comes_from_a_file(start: Start, tmp_path: Path, place: str) -> None:
    """The token is read from MAILALERT_TOKEN_FILE, else from the user's own file."""
    daemon = start()
    file = tmp_path / ("token" if place == "variable" else ".config/mailalert/token")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{CANARY}\n")
    file.chmod(0o600)
    environ = {"MAILALERT_TOKEN_FILE": str(file)} if place == "variable" else {}
    done = mailalert("send", "s", "--url", daemon.url, home=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    assert daemon.posts[0][1]["Authorization"] == f"Bearer {CANARY}"


def test_a_token_file_that_everybody_reads_is_pointed_out(start: Start, tmp_path: Path) -> None:
    """The alert goes out all the same."""
    file = tmp_path / "token"
    file.write_text(CANARY)
    file.chmod(0o644)
    environ = {"MAILALERT_TOKEN_FILE": str(file)}
    done = mailalert("send", "s", "--url", start().url, home=tmp_path, environ=environ)
    assert done.returncode == 0
    assert b"chmod o-r" in done.stderr


@pytest.mark.parametrize("content", [None, "", f"{CANARY}\nx", f"{CANARY} é"], ids=["none", "empty", "two", "other"])
def test_a_useless_token_file_ends_with_78(tmp_path: Path, content: str | None) -> None:
    """A token file that was asked for must be usable; what it holds is not shown."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    done = mailalert("send", "s", home=tmp_path, environ={"MAILALERT_TOKEN_FILE": str(file)})
    assert done.returncode == 78
    assert b"token file" in done.stderr
    assert CANARY.encode() not in done.stderr


@pytest.mark.parametrize(
    ("status", "answer", "code", "said"),
    [
        (401, {"title": "Unauthorized"}, 77, "MAILALERT_TOKEN_FILE"),
        (
            422,
            {"detail": "Two fields are wrong.", "errors": [{"pointer": "/labels/a", "detail": "too long"}]},
            65,
            "labels/a: too long",
        ),
        (413, {"detail": "The body is too large."}, 65, "too large"),
        (503, {"detail": "The disk is full."}, 75, "The disk is full."),
        (500, b"<html>", 75, "just now"),
        (202, b"<html>", 76, "no mailalert"),
        (200, {"status": "UP"}, 76, "no mailalert"),
        (404, b"<html>", 76, "no mailalert"),
        (302, b"", 76, "no mailalert"),
    ],
)
def test_the_exit_code_tells_what_happened(
    start: Start, tmp_path: Path, status: int, answer: Any, code: int, said: str
) -> None:
    """Scripts tell what to try again from what to mend, and people read why."""
    done = mailalert("send", "s", "--url", start(status, answer).url, home=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_no_daemon_is_a_temporary_failure(tmp_path: Path) -> None:
    """Nothing listens: exit 75, and how to find the daemon."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    done = mailalert("send", "s", "--url", f"http://127.0.0.1:{port}", home=tmp_path)
    assert done.returncode == 75
    assert b"is it running" in done.stderr


@pytest.mark.parametrize("url", ["localhost:8825", "ftp://x", f"http://user:{CANARY}@h", "http://h:port", "http://"])
def test_a_wrong_url_is_a_mistake_of_the_command_line(tmp_path: Path, url: str) -> None:
    """A token in a URL is refused: everybody sees it in the list of processes."""
    done = mailalert("send", "s", "--url", url, home=tmp_path)
    assert done.returncode == 64
    assert CANARY.encode() not in done.stderr


def test_a_label_needs_a_value(tmp_path: Path) -> None:
    """A label without = is pointed out before anything is sent."""
    assert mailalert("send", "s", "--label", "a", home=tmp_path).returncode == 64


@pytest.mark.parametrize("arguments", [["send", "s"], ["queue", "retry", "x"]], ids=["send", "queue"])
def test_the_client_imports_no_server_code(start: Start, tmp_path: Path, arguments: list[str]) -> None:
    """Cron jobs pay for no web framework: a client command starts within a few hundredths of a second."""
    program = (
        f"import atexit, sys; sys.argv[1:] = {arguments};"
        "atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules})));"
        "from app.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path, {"MAILALERT_URL": start().url}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    loaded = set(done.stdout.decode().split())
    assert not loaded & {"fastapi", "starlette", "pydantic", "uvicorn", "structlog", "asyncio", "jinja2", "sqlite3"}


def test_the_version_is_told(tmp_path: Path) -> None:
    """--version prints the name and the number."""
    assert mailalert("--version", home=tmp_path).stdout.startswith(b"mailalert 0.")
