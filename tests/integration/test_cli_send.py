"""`mailalert send`, as scripts use it, against a small HTTP server."""

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.domain.spooled import decode_spooled
from tests.support.mailalert_command import environment, mailalert
from tests.support.ports import free_port
from tests.support.scripted_daemon import ACCEPTED, INVALID, ScriptedDaemon, scripted_daemon
from tests.support.waiting import until

CANARY = "canary-8f3a"
NO_WAIT = {"MAILALERT_WAIT": "0"}
Start = Callable[..., ScriptedDaemon]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a daemon with its answer; it is stopped at the end."""
    with ExitStack() as stack:

        def run(status: int = ACCEPTED[0], answer: Any = ACCEPTED[1]) -> ScriptedDaemon:
            return stack.enter_context(scripted_daemon((status, answer)))

        yield run


def test_an_alert_is_posted_and_its_id_printed(start: Start, tmp_path: Path) -> None:
    """Exit 0 and the id on stdout mean that the alert is durable."""
    daemon = start()
    done = mailalert("send", "backup failed", "-m", "no space", "--url", daemon.url, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0ABCDEFGHJKMN\n", b"")
    post = daemon.posts[0]
    assert (post.path, post.headers["Content-Type"]) == ("/alerts/native", "application/json")
    assert post.alert == {"subject": "backup failed", "content": "no space"}
    assert re.fullmatch("[0-9a-f]{32}", post.headers["Idempotency-Key"])
    assert "Authorization" not in post.headers


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
    assert daemon.posts[0].headers["Authorization"] == f"Bearer {CANARY}"


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
    ("status", "answer", "code", "said", "is_kept"),
    [
        (401, {"title": "Unauthorized"}, 77, "MAILALERT_TOKEN_FILE", True),
        (403, {"detail": "This token may not send alerts."}, 77, "may not send", True),
        (
            422,
            {
                "type": INVALID,
                "detail": "Two fields are wrong.",
                "errors": [{"pointer": "/labels/a", "detail": "too long"}],
            },
            65,
            "labels/a: too long",
            False,
        ),
        (413, {"detail": "The body is too large."}, 65, "too large", True),
        (422, {"title": "of another service"}, 65, "of another service", True),
        (503, {"detail": "The disk is full."}, 0, "The disk is full.", True),
        (500, b"<html>", 0, "just now", True),
        (429, {"detail": "Too many."}, 0, "Too many.", True),
        (202, b"<html>", 76, "no mailalert", True),
        (200, {"status": "UP"}, 76, "no mailalert", True),
        (404, b"<html>", 76, "no mailalert", True),
        (302, b"", 76, "no mailalert", True),
    ],
)
def test_the_exit_code_tells_what_happened(
    start: Start, tmp_path: Path, status: int, answer: Any, code: int, said: str, is_kept: bool
) -> None:
    """Scripts tell what to mend from what is kept, and people read why; only what was refused is not kept."""
    done = mailalert("send", "s", "--url", start(status, answer).url, home=tmp_path, environ=NO_WAIT)
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert len(spooled(tmp_path)) == is_kept


def spooled(home: Path) -> list[Path]:
    """Return the files in this user's own spool."""
    return sorted((home / ".local/state/mailalert/spool").glob("*.alert"))


def test_without_a_daemon_the_alert_is_kept(tmp_path: Path) -> None:
    """Nothing listens: exit 0, how to find the daemon, and a file that only this user reads."""
    done = mailalert("send", "s", "--receiver", "dba", "--url", nowhere(), home=tmp_path, environ=NO_WAIT)
    (file,) = spooled(tmp_path)
    assert (done.returncode, file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0, 0o600, 0o700)
    assert b"is it running" in done.stderr
    assert str(file).encode() in done.stderr
    alert = decode_spooled(file.read_bytes())
    assert (alert.body, alert.receivers) == (b'{"subject": "s"}', ("dba",))


def nowhere() -> str:
    """Return an address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_a_daemon_that_comes_back_gets_the_alert_once(tmp_path: Path) -> None:
    """It is tried again, under the same key and with the same body; nothing stays in the spool."""
    with scripted_daemon((503, {}), (429, {}, {"Retry-After": "0"}), ACCEPTED) as daemon:
        done = mailalert("send", "s", "--url", daemon.url, "--wait", "30", home=tmp_path)
    assert (done.returncode, done.stdout, spooled(tmp_path)) == (0, b"0ABCDEFGHJKMN\n", [])
    assert len(daemon.posts) == 3
    assert len({(post.headers["Idempotency-Key"], post.body) for post in daemon.posts}) == 1


def test_the_next_call_empties_the_spool(start: Start, tmp_path: Path) -> None:
    """What was kept is posted under the key that it was kept with, after the new alert."""
    mailalert("send", "kept", "--url", nowhere(), home=tmp_path, environ=NO_WAIT)
    key = decode_spooled(spooled(tmp_path)[0].read_bytes()).key
    daemon = start()
    assert mailalert("send", "new", "--url", daemon.url, home=tmp_path).returncode == 0
    assert [post.alert["subject"] for post in daemon.posts] == ["new", "kept"]
    assert daemon.posts[1].headers["Idempotency-Key"] == key
    assert spooled(tmp_path) == []


def test_spooled_sends_what_is_kept_alone(start: Start, tmp_path: Path) -> None:
    """`send --spooled` posts the oldest first, to the receivers that were named, and nothing else."""
    for subject in ("first", "second"):
        mailalert("send", subject, "--receiver", "d&a", "--url", nowhere(), home=tmp_path, environ=NO_WAIT)
    daemon = start()
    done = mailalert("send", "--spooled", "--url", daemon.url, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"2 were sent\n")
    posts = [(post.path, post.alert["subject"]) for post in daemon.posts]
    assert posts == [("/alerts/native?receiver=d%26a", "first"), ("/alerts/native?receiver=d%26a", "second")]


def test_spooled_tells_that_the_daemon_is_gone(tmp_path: Path) -> None:
    """Exit 75, and the alert stays."""
    mailalert("send", "s", "--url", nowhere(), home=tmp_path, environ=NO_WAIT)
    done = mailalert("send", "--spooled", "--url", nowhere(), home=tmp_path)
    assert (done.returncode, done.stdout, len(spooled(tmp_path))) == (75, b"0 were sent\n", 1)


def test_a_kept_alert_that_is_refused_is_put_aside(start: Start, tmp_path: Path) -> None:
    """One that can never be taken does not stand before the others for ever, and does not vanish."""
    mailalert("send", "s", "--url", nowhere(), home=tmp_path, environ=NO_WAIT)
    (file,) = spooled(tmp_path)
    done = mailalert("send", "--spooled", "--url", start(422, {"type": INVALID, "detail": "wrong"}).url, home=tmp_path)
    assert (done.returncode, spooled(tmp_path)) == (0, [])
    assert file.with_name(f"{file.name}.refused").exists()
    assert b"wrong" in done.stderr


def test_neither_daemon_nor_spool_is_a_temporary_failure(tmp_path: Path) -> None:
    """Exit 75, and both reasons."""
    (tmp_path / "spool").write_text("no directory")
    environ = {**NO_WAIT, "MAILALERT_SPOOL": str(tmp_path / "spool")}
    done = mailalert("send", "s", "--url", nowhere(), home=tmp_path, environ=environ)
    assert done.returncode == 75
    assert b"is it running" in done.stderr
    assert b"is no directory" in done.stderr


def test_people_and_files_go_with_the_alert(start: Start, tmp_path: Path) -> None:
    """--to, --receiver and --attach, each several times."""
    (tmp_path / "a.log").write_bytes(b"\x00\xff")
    daemon = start()
    options = ["--to", "a@example.org", "--to", "b@example.org", "--receiver", "x", "--receiver", "y"]
    done = mailalert("send", "s", *options, "--attach", "a.log", "--url", daemon.url, home=tmp_path)
    assert (done.returncode, daemon.posts[0].path) == (0, "/alerts/native?receiver=x&receiver=y")
    assert daemon.alert["to"] == ["a@example.org", "b@example.org"]
    (file,) = daemon.alert["attachments"]
    assert (file["name"], b64decode(file["content"])) == ("a.log", b"\x00\xff")


def test_a_file_that_is_missing_does_not_cost_the_alert(start: Start, tmp_path: Path) -> None:
    """The alert goes, and says what could not be attached."""
    daemon = start()
    done = mailalert("send", "s", "--attach", "gone.log", "--url", daemon.url, home=tmp_path)
    assert done.returncode == 0
    assert b"gone.log could not be attached" in done.stderr
    assert "gone.log could not be attached" in daemon.alert["content"]


def test_an_alert_that_is_too_large_goes_without_its_files(tmp_path: Path) -> None:
    """A daemon that takes no attachments still gets the alert, and people read what is missing."""
    (tmp_path / "a.log").write_text("log")
    with scripted_daemon((413, {"detail": "too large"}), ACCEPTED) as daemon:
        done = mailalert("send", "s", "--attach", "a.log", "--url", daemon.url, home=tmp_path)
    assert done.returncode == 0
    assert "attachments were left out" in daemon.posts[1].alert["content"]
    assert "attachments" not in daemon.posts[1].alert


def test_a_signal_ends_the_wait_and_the_alert_is_kept(tmp_path: Path) -> None:
    """A shutdown while `send` waits for the daemon loses nothing."""
    with scripted_daemon((503, {})) as daemon:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "send", "s", "--url", daemon.url],
            env=environment(tmp_path, {}),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until(lambda: bool(spooled(tmp_path)))
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert (process.returncode, len(spooled(tmp_path))) == (0, 1)
    assert b"is kept in" in said


def test_a_subject_is_needed(tmp_path: Path) -> None:
    """Nothing to say is a mistake of the command line."""
    assert mailalert("send", home=tmp_path).returncode == 64


@pytest.mark.parametrize("url", ["localhost:8825", "ftp://x", f"http://user:{CANARY}@h", "http://h:port", "http://"])
def test_a_wrong_url_is_a_mistake_of_the_command_line(tmp_path: Path, url: str) -> None:
    """A token in a URL is refused: everybody sees it in the list of processes."""
    done = mailalert("send", "s", "--url", url, home=tmp_path)
    assert done.returncode == 64
    assert CANARY.encode() not in done.stderr


def test_a_label_needs_a_value(tmp_path: Path) -> None:
    """A label without = is pointed out before anything is sent."""
    assert mailalert("send", "s", "--label", "a", home=tmp_path).returncode == 64


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "s"],
        ["queue", "retry", "x"],
        ["ack", "--help"],
        ["run", "--on", "always", "--", "true"],
        ["token", "new"],
        ["mailbox", "list", "--help"],
    ],
    ids=["send", "queue", "ack", "run", "token", "mailbox"],
)
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
    assert not loaded & {"orjson", "httpx", "idna"}


def test_the_version_is_told(tmp_path: Path) -> None:
    """--version prints the name and the number."""
    assert mailalert("--version", home=tmp_path).stdout.startswith(b"mailalert 0.")
