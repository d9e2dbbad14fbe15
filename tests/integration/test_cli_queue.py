"""`mailalert queue` against the real routes over a journal in memory."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.envelope import EnvelopeState
from app.domain.ids import format_id
from app.domain.mail_read import MailboxName, MailRead
from tests.support.clock import NOW
from tests.support.factories import REFUSED, SENT
from tests.support.routes_daemon import RoutesDaemon, routes_daemon


@pytest.fixture
def daemon() -> Iterator[RoutesDaemon]:
    """A daemon whose journal is empty."""
    with routes_daemon() as server:
        yield server


def test_the_queue_is_listed(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """What waits, newest first, as lines with tabs in a pipe."""
    daemon.put(subject="older")
    daemon.put(SENT, SENT, subject="sent")
    daemon.put(subject="newer")
    done = daemon.run("queue", "list", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [(line[2], line[4]) for line in lines] == [("queued", "newer"), ("queued", "older")]


@pytest.mark.parametrize(("state", "subject"), [("sent", "whole"), ("partly-sent", "half"), ("dropped", "gone")])
def test_each_state_can_be_listed(daemon: RoutesDaemon, tmp_path: Path, state: str, subject: str) -> None:
    """In words that need no quotes."""
    daemon.put(SENT, SENT, subject="whole")
    daemon.put(SENT, REFUSED, subject="half")
    gone = daemon.put(REFUSED, REFUSED, subject="gone")
    assert daemon.run("queue", "drop", format_id(gone.envelope.id), home=tmp_path).returncode == 0
    listed = daemon.run("queue", "list", "--state", state, home=tmp_path).stdout.decode().splitlines()
    assert [line.split("\t")[4] for line in listed] == [subject]


def test_dead_letters_are_listed_with_their_reasons(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """The id is the alert's, as in every list, and the one to retry and to drop by."""
    mail = daemon.put(SENT, REFUSED, subject="half")
    done = daemon.run("queue", "list", "--state", "failed", home=tmp_path)
    fields = done.stdout.decode().rstrip("\n").split("\t")
    assert (fields[0], fields[4], fields[5]) == (format_id(mail.accepted.id), "half", "boss@example.org")
    assert fields[6] == "the relay refused the recipient (550 5.1.1), not retried"


def test_json_has_all_that_the_daemon_tells(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """An array, also when there is nothing."""
    assert json.loads(daemon.run("queue", "list", "--json", home=tmp_path).stdout) == []
    daemon.put(REFUSED, REFUSED, subject="größer")
    (letter,) = json.loads(daemon.run("queue", "list", "--state", "failed", "--json", home=tmp_path).stdout)
    assert letter["subject"] == "größer"
    assert letter["recipients"][0]["reply"] == "550 5.1.1 no such user"


def test_a_list_that_was_cut_says_so(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """On stderr, where it disturbs no program."""
    for _ in range(3):
        daemon.put()
    done = daemon.run("queue", "list", "--limit", "2", home=tmp_path)
    assert done.stdout.count(b"\n") == 2
    assert b"there are more than 2; see --limit" in done.stderr


@pytest.mark.parametrize("by_alert", [True, False], ids=["of its alert", "of the mail"])
def test_one_is_sent_again_by_its_id(daemon: RoutesDaemon, tmp_path: Path, by_alert: bool) -> None:
    """And only that one."""
    wanted, other = daemon.put(REFUSED, REFUSED), daemon.put(REFUSED, REFUSED)
    name = format_id(wanted.accepted.id if by_alert else wanted.envelope.id)
    done = daemon.run("queue", "retry", name, home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{name} is queued again\n")
    assert (daemon.state(wanted), daemon.state(other)) == (EnvelopeState.OPEN, EnvelopeState.FAILED)


def test_all_are_sent_again(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """Step by step, and how many is said at the end."""
    mails = [daemon.put(REFUSED, REFUSED) for _ in range(4)]
    done = daemon.run("queue", "retry", "--all", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"4 are queued again\n", b"")
    assert {daemon.state(mail) for mail in mails} == {EnvelopeState.OPEN}


def test_a_journal_without_room_stops_it_and_tells_how_far_it_came(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """75: a later call goes on where this one ended."""
    dead = [daemon.put(REFUSED, REFUSED) for _ in range(3)]
    for _ in range(9):
        daemon.put()
    done = daemon.run("queue", "retry", "--all", home=tmp_path)
    assert done.returncode == 75
    assert b"(1 are queued again)" in done.stderr
    assert [daemon.state(mail) for mail in dead] == [EnvelopeState.OPEN, EnvelopeState.FAILED, EnvelopeState.FAILED]


def test_one_is_dropped_by_its_id(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """It is given up, on the record."""
    mail = daemon.put(REFUSED, REFUSED)
    name = format_id(mail.accepted.id)
    done = daemon.run("queue", "drop", name, home=tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, f"{name} is dropped\n")
    assert daemon.state(mail) is EnvelopeState.DROPPED


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_what_is_no_dead_letter_ends_with_65(daemon: RoutesDaemon, tmp_path: Path, command: str) -> None:
    """With where to look for one, also for what is no id at all."""
    done = daemon.run("queue", command, "no id?x", home=tmp_path)
    assert done.returncode == 65
    assert b"No dead letter has this id" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("retry",), ("retry", "--all", "0146KBZ9XG001"), ("drop",)], ids=["none", "both", "drop none"]
)
def test_nothing_is_done_unless_it_is_said_what(
    daemon: RoutesDaemon, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """64, and the daemon is not asked."""
    assert daemon.run("queue", *arguments, home=tmp_path).returncode == 64
    assert daemon.asked == []


def put_aside(daemon: RoutesDaemon) -> None:
    """Let ops@example.org be set aside by one bounce, whose reply tries to clear the screen."""
    mail = daemon.put(SENT, SENT)
    told = BouncedRecipient(kind=BounceKind.FAILED, address="ops@example.org", status="5.1.1", reply="550 no\x1b[2J")
    report = BounceReport(envelope_id=mail.envelope.id, recipients=(told,))
    read = MailRead(mailbox=MailboxName("box"), uid="1", at=NOW, what="bounce")
    daemon.loop.run(daemon.site.journal.mailbox.take_bounce(report, read, set_aside_after=1, is_final=False))


def test_addresses_that_were_set_aside_are_listed(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """Since when, after how many bounces, and what the last server said, which gives no orders."""
    put_aside(daemon)
    done = daemon.run("queue", "aside", home=tmp_path)
    fields = done.stdout.decode().rstrip("\n").split("\t")
    assert (fields[0], fields[2], fields[3].split()[:2]) == ("ops@example.org", "1", ["550", "no"])
    assert b"\x1b" not in done.stdout
    (entry,) = json.loads(daemon.run("queue", "aside", "--json", home=tmp_path).stdout)
    assert entry.keys() == {"address", "bounces", "since", "reply"}


def test_an_address_is_released(daemon: RoutesDaemon, tmp_path: Path) -> None:
    """It gets mail again."""
    put_aside(daemon)
    done = daemon.run("queue", "release", "ops@example.org", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"ops@example.org gets mail again\n")
    assert daemon.run("queue", "aside", home=tmp_path).stdout == b""
    assert daemon.site.released == ["ops@example.org"]


@pytest.mark.parametrize("address", ["nobody@example.org", "a/b?c#d@example.org", "größe"])
def test_who_is_not_set_aside_ends_with_65(daemon: RoutesDaemon, tmp_path: Path, address: str) -> None:
    """With where to look, whatever the address is."""
    done = daemon.run("queue", "release", address, home=tmp_path)
    assert done.returncode == 65
    assert b"mailalert queue aside" in done.stderr


@pytest.mark.parametrize("command", ["retry", "drop", "release"])
def test_bytes_that_are_no_text_name_nothing(daemon: RoutesDaemon, tmp_path: Path, command: str) -> None:
    """Nor do they end in a traceback."""
    done = daemon.run("queue", command, os.fsdecode(b"caf\xe9"), home=tmp_path)
    assert done.returncode == 65
    assert b"Traceback" not in done.stderr
