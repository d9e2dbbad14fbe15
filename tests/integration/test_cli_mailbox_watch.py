"""`mailalert mailbox watch`: new mail as it comes, and a POP3 mailbox that somebody else holds."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.mailalert_command import HANG, environment
from tests.support.mailbox_command import PASSWORD, USER, Mailbox, mail


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    """One server for all tests; a POP3 session has the mailbox for itself."""
    certificate, key = authority.certificate_files()
    settings = {"pop3_lock_session": "yes"}
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key, settings=settings) as server:
        yield server


@pytest.fixture(params=["pop3", "imap"])
def mailbox(request: pytest.FixtureRequest, dovecot: DovecotMailbox, tmp_path: Path) -> Mailbox:
    """An empty mailbox, by either protocol."""
    dovecot.clear(USER)
    return Mailbox(dovecot, request.param, tmp_path)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_new_mail_is_told_until_a_signal_ends_it(mailbox: Mailbox, ending: signal.Signals) -> None:
    """What was there before is not new, and the end is a good one."""
    mailbox.put(mail("old"))
    with mailbox.started("watch", "--every", "0.2") as process:
        _wait_until_it_looks(process)
        for subject in ("first", "second"):
            mailbox.put(mail(subject))
            assert process.stdout is not None
            assert process.stdout.readline().split("\t")[3] == subject
        process.send_signal(ending)
        out, errors = process.communicate(timeout=HANG)
    assert (process.returncode, out, errors) == (0, "", "")


def test_a_program_gets_an_object_on_each_line(mailbox: Mailbox) -> None:
    """With --json."""
    with mailbox.started("watch", "--every", "0.2", "--json") as process:
        _wait_until_it_looks(process)
        mailbox.put(mail("first"))
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
    assert (told["subject"], told["number"]) == ("first", 1)


def test_a_server_that_restarts_is_waited_for(mailbox: Mailbox) -> None:
    """That is told, and mail that came meanwhile is told afterwards."""
    with mailbox.started("watch", "--every", "0.2") as process:
        _wait_until_it_looks(process)
        mailbox.dovecot.kill()
        assert process.stderr is not None
        assert "it is tried again every" in process.stderr.readline()
        mailbox.put(mail("meanwhile"))
        mailbox.dovecot.start()
        assert process.stdout is not None
        assert process.stdout.readline().split("\t")[3] == "meanwhile"


def test_the_password_shows_nowhere(mailbox: Mailbox) -> None:
    """Not to `ps`, and not in the environment."""
    with mailbox.started("watch") as process:
        _wait_until_it_looks(process)
        shown = [Path(f"/proc/{process.pid}/{file}").read_bytes() for file in ("cmdline", "environ")]
    assert not any(PASSWORD.encode() in each for each in shown)
    assert mailbox.url.encode() in shown[0]


def test_a_mailbox_that_is_held_is_waited_for(dovecot: DovecotMailbox, tmp_path: Path) -> None:
    """The daemon holds it for as long as it reads."""
    dovecot.clear(USER)
    mailbox = Mailbox(dovecot, "pop3", tmp_path)
    mailbox.put(mail("hello"))
    lines: list[list[str]] = []
    with dovecot.locked(USER):
        listing = threading.Thread(target=lambda: lines.extend(mailbox.lines("list")))
        listing.start()
        listing.join(1)
        assert listing.is_alive()
    listing.join(HANG)
    assert [line[3] for line in lines] == ["hello"]


def test_a_mailbox_that_stays_held_ends_with_75(dovecot: DovecotMailbox, tmp_path: Path) -> None:
    """With who may hold it."""
    dovecot.clear(USER)
    mailbox = Mailbox(dovecot, "pop3", tmp_path)
    program = "from app.cli import mailbox_access, main; mailbox_access.PATIENCE_S = 0; main.main()"
    with dovecot.locked(USER):
        done = subprocess.run(
            [sys.executable, "-c", program, "mailbox", "list", *mailbox.where],
            env=environment(tmp_path, {}),
            capture_output=True,
            timeout=HANG,
            check=False,
        )
    assert done.returncode == 75
    assert b"the daemon or a mail program reads it just now" in done.stderr


def _wait_until_it_looks(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("mailalert: watching "), line
