"""`mailalert queue` against the real routes over a journal in memory."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from app.domain.envelope import EnvelopeState, QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Outcome
from tests.support.background import BackgroundLoop
from tests.support.factories import REFUSED, SENT, Factory, judged
from tests.support.mailalert_command import mailalert
from tests.support.web_site import Site


class Daemon(ThreadingHTTPServer):
    """Hands each request to the routes, which run in a loop of their own."""

    def __init__(self, loop: BackgroundLoop) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
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
        """Run `mailalert queue` against this daemon."""
        return mailalert("queue", *arguments, "--url", f"http://127.0.0.1:{self.server_port}", home=home)


class Handler(BaseHTTPRequestHandler):
    server: Daemon

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        answer = self.server.loop.run(self.server.site.get(self.path, method=self.command))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon whose journal is empty."""
    with BackgroundLoop() as loop:
        server = Daemon(loop)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_queue_is_listed(daemon: Daemon, tmp_path: Path) -> None:
    """What waits, newest first, as lines with tabs in a pipe."""
    daemon.put(subject="older")
    daemon.put(SENT, SENT, subject="sent")
    daemon.put(subject="newer")
    done = daemon.run("list", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [(line[2], line[4]) for line in lines] == [("queued", "newer"), ("queued", "older")]


@pytest.mark.parametrize(("state", "subject"), [("sent", "whole"), ("partly-sent", "half"), ("dropped", "gone")])
def test_each_state_can_be_listed(daemon: Daemon, tmp_path: Path, state: str, subject: str) -> None:
    """In words that need no quotes."""
    daemon.put(SENT, SENT, subject="whole")
    daemon.put(SENT, REFUSED, subject="half")
    gone = daemon.put(REFUSED, REFUSED, subject="gone")
    assert daemon.run("drop", format_id(gone.envelope.id), home=tmp_path).returncode == 0
    listed = daemon.run("list", "--state", state, home=tmp_path).stdout.decode().splitlines()
    assert [line.split("\t")[4] for line in listed] == [subject]


def test_dead_letters_are_listed_with_their_reasons(daemon: Daemon, tmp_path: Path) -> None:
    """The id is the alert's, as in every list, and the one to retry and to drop by."""
    mail = daemon.put(SENT, REFUSED, subject="half")
    done = daemon.run("list", "--state", "failed", home=tmp_path)
    fields = done.stdout.decode().rstrip("\n").split("\t")
    assert (fields[0], fields[4], fields[5]) == (format_id(mail.accepted.id), "half", "boss@example.org")
    assert fields[6] == "the relay refused the recipient (550 5.1.1), not retried"


def test_json_has_all_that_the_daemon_tells(daemon: Daemon, tmp_path: Path) -> None:
    """An array, also when there is nothing."""
    assert json.loads(daemon.run("list", "--json", home=tmp_path).stdout) == []
    daemon.put(REFUSED, REFUSED, subject="größer")
    (letter,) = json.loads(daemon.run("list", "--state", "failed", "--json", home=tmp_path).stdout)
    assert letter["subject"] == "größer"
    assert letter["recipients"][0]["reply"] == "550 5.1.1 no such user"


def test_a_list_that_was_cut_says_so(daemon: Daemon, tmp_path: Path) -> None:
    """On stderr, where it disturbs no program."""
    for _ in range(3):
        daemon.put()
    done = daemon.run("list", "--limit", "2", home=tmp_path)
    assert done.stdout.count(b"\n") == 2
    assert b"there are more than 2; see --limit" in done.stderr


@pytest.mark.parametrize("by_alert", [True, False], ids=["of its alert", "of the mail"])
def test_one_is_sent_again_by_its_id(daemon: Daemon, tmp_path: Path, by_alert: bool) -> None:
    """And only that one."""
    wanted, other = daemon.put(REFUSED, REFUSED), daemon.put(REFUSED, REFUSED)
    name = format_id(wanted.accepted.id if by_alert else wanted.envelope.id)
    done = daemon.run("retry", name, home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{name} is queued again\n")
    assert (daemon.state(wanted), daemon.state(other)) == (EnvelopeState.OPEN, EnvelopeState.FAILED)


def test_all_are_sent_again(daemon: Daemon, tmp_path: Path) -> None:
    """Step by step, and how many is said at the end."""
    mails = [daemon.put(REFUSED, REFUSED) for _ in range(4)]
    done = daemon.run("retry", "--all", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"4 are queued again\n", b"")
    assert {daemon.state(mail) for mail in mails} == {EnvelopeState.OPEN}


def test_a_journal_without_room_stops_it_and_tells_how_far_it_came(daemon: Daemon, tmp_path: Path) -> None:
    """75: a later call goes on where this one ended."""
    dead = [daemon.put(REFUSED, REFUSED) for _ in range(3)]
    for _ in range(9):
        daemon.put()
    done = daemon.run("retry", "--all", home=tmp_path)
    assert done.returncode == 75
    assert b"(1 are queued again)" in done.stderr
    assert [daemon.state(mail) for mail in dead] == [EnvelopeState.OPEN, EnvelopeState.FAILED, EnvelopeState.FAILED]


def test_one_is_dropped_by_its_id(daemon: Daemon, tmp_path: Path) -> None:
    """It is given up, on the record."""
    mail = daemon.put(REFUSED, REFUSED)
    name = format_id(mail.accepted.id)
    done = daemon.run("drop", name, home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{name} is dropped\n")
    assert daemon.state(mail) is EnvelopeState.DROPPED


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_what_is_no_dead_letter_ends_with_65(daemon: Daemon, tmp_path: Path, command: str) -> None:
    """With where to look for one, also for what is no id at all."""
    done = daemon.run(command, "../alerts?x", home=tmp_path)
    assert done.returncode == 65
    assert b"No dead letter has this id" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("retry",), ("retry", "--all", "0146KBZ9XG001"), ("drop",)], ids=["none", "both", "drop none"]
)
def test_nothing_is_done_unless_it_is_said_what(daemon: Daemon, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """64, and the daemon is not asked."""
    assert daemon.run(*arguments, home=tmp_path).returncode == 64
    assert daemon.asked == []
