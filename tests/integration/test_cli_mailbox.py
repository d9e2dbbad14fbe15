"""`mailalert mailbox` against a real Dovecot: one mail client for POP3 and IMAP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.size import size_text
from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.hostile_mail import NAMES, hostile_mail
from tests.support.mailalert_command import mailalert
from tests.support.mailalert_terminal import mailalert_at_terminal
from tests.support.mailbox_command import PASSWORD, USER, Mailbox, mail
from tests.support.ports import free_port

SAMPLE = Path(__file__).parents[1] / "mail-samples" / "gb18030-two-attachments.eml"
ORDERS = frozenset("\x07\x1b\x9b\u202e")

Open = Callable[[str], Mailbox]


@pytest.fixture(scope="module")
def dovecot(authority: Authority) -> Iterator[DovecotMailbox]:
    """One server for all tests."""
    certificate, key = authority.certificate_files()
    with DovecotMailbox({USER: PASSWORD}, certificate=certificate, key=key) as server:
        yield server


@pytest.fixture
def open_by(dovecot: DovecotMailbox, tmp_path: Path) -> Open:
    """Returns an empty mailbox, reached by a scheme."""
    dovecot.clear(USER)
    return lambda scheme: Mailbox(dovecot, scheme, tmp_path)


@pytest.fixture(params=["pop3", "imap"])
def mailbox(request: pytest.FixtureRequest, open_by: Open) -> Mailbox:
    """An empty mailbox, by either protocol."""
    return open_by(request.param)


def test_mails_are_listed(mailbox: Mailbox) -> None:
    """The newest first, as lines with tabs in a pipe."""
    mailbox.put(mail("older", day=1), mail("newer", day=2))
    newer, older = mailbox.lines("list")
    assert newer[1:] == ["2026-03-02T12:00:00Z", "kim@example.com", "newer", str(len(mail("newer")))]
    assert older[3] == "older"


def test_a_list_that_was_cut_says_so(mailbox: Mailbox) -> None:
    """It has the newest mails."""
    mailbox.put(*(mail(f"mail {number}") for number in range(5)))
    done = mailbox.run("list", "--limit", "2")
    assert [line.split("\t")[3] for line in done.stdout.decode().splitlines()] == ["mail 4", "mail 3"]
    assert b"there are 5 mails; see --limit" in done.stderr


def test_json_has_all_that_is_known(mailbox: Mailbox) -> None:
    """An array, also when there is nothing."""
    assert json.loads(mailbox.run("list", "--json").stdout) == []
    mailbox.put(mail("first"), SAMPLE.read_bytes())
    second, first = json.loads(mailbox.run("list", "--json").stdout)
    assert (first["number"], second["number"], second["subject"]) == (1, 2, "测试邮件")
    assert second["from"] == {"address": "sender@example.com", "name": "左雪"}
    assert first["uid"] != second["uid"]


@pytest.mark.parametrize(("scheme", "name"), [("pop3", "2"), ("imap", "3")])
def test_a_list_for_people_shows_what_to_type(open_by: Open, scheme: str, name: str) -> None:
    """The place by POP3; by IMAP the uid, which stays when an older mail goes."""
    mailbox = open_by(scheme)
    data = SAMPLE.read_bytes()
    mailbox.put(mail("gone"), mail("first"), data)
    assert mailbox.run("delete", mailbox.lines("list")[-1][0], "--yes").returncode == 0
    heading, line, _ = mailbox.at_terminal("list").text.splitlines()
    assert heading.split() == ["N", "DATE", "FROM", "SIZE", "SUBJECT"]
    assert line.split() == [name, "2020-04-25", "12:52", "左雪", *size_text(len(data)).split(), "测试邮件"]
    assert "测试邮件" in mailbox.run("show", name).stdout.decode()


def test_an_empty_mailbox_is_said_to_be(mailbox: Mailbox) -> None:
    """To people; programs get no line."""
    assert mailbox.at_terminal("list").text == "None.\n"
    assert mailbox.run("list").stdout == b""


def test_a_mail_is_shown_by_its_uid(mailbox: Mailbox) -> None:
    """As a file is shown."""
    mailbox.put(mail("first"), mail("second", text="the text"))
    done = mailbox.run("show", mailbox.lines("list")[0][0])
    assert done.stdout.decode().splitlines()[-3:] == ["Subject:  second", "", "the text"]


def test_nothing_is_marked_as_read(open_by: Open) -> None:
    """By IMAP; a POP3 server marks what it likes."""
    mailbox = open_by("imap")
    mailbox.put(mail("first"))
    assert mailbox.run("show", mailbox.lines("search", "text", "--text")[0][0]).returncode == 0
    assert mailbox.dovecot.flags(USER) == [""]


def test_the_source_is_the_mail(mailbox: Mailbox) -> None:
    """Byte for byte, dots and all."""
    data = mail("dots", text=".\r\n..\r\n.x\r\n\xff" * 1000)
    mailbox.put(data)
    assert mailbox.run("show", mailbox.lines("list")[0][0], "--source").stdout == data


def test_json_of_a_mail_tells_where_it_is(mailbox: Mailbox) -> None:
    """Besides what is told of a file."""
    mailbox.put(mail("first"), mail("second"))
    uid = mailbox.lines("list")[0][0]
    shown = json.loads(mailbox.run("show", uid, "--json").stdout)
    assert (shown["uid"], shown["number"], shown["subject"]) == (uid, 2, "second")
    assert shown["size_bytes"] == len(mail("second"))


def test_files_are_saved(mailbox: Mailbox) -> None:
    """What comes over the wire is what was sent."""
    mailbox.put(SAMPLE.read_bytes())
    uid = mailbox.lines("list")[0][0]
    assert [line[0] for line in mailbox.lines("save", uid, "--dir", "out")] == ["out/self.jpg", "out/test.docx"]
    mailalert("mail", "save", str(SAMPLE), "--dir", "of-file", home=mailbox.home)
    for name in ("self.jpg", "test.docx"):
        assert (mailbox.home / "out" / name).read_bytes() == (mailbox.home / "of-file" / name).read_bytes()


def test_a_hostile_mail_does_no_harm(mailbox: Mailbox) -> None:
    """In no list, and its files land where they are meant to."""
    mailbox.put(hostile_mail())
    uid = mailbox.lines("list")[0][0]
    for arguments in (["list"], ["show", uid], ["search", "hello"]):
        shown = mailbox.at_terminal(*arguments)
        assert shown.returncode == 0
        assert not ORDERS & set(shown.text)
    saved = [Path(line[0]) for line in mailbox.lines("save", uid, "--dir", "out")]
    assert [path.parent for path in saved] == [Path("out")] * len(NAMES)


def test_mails_are_found(mailbox: Mailbox) -> None:
    """By their headers, and by their text if that is asked for."""
    mailbox.put(mail("disk full", day=1), mail("hello", day=2, text="the disk"), mail("disk ok", day=3))
    assert [line[3] for line in mailbox.lines("search", "DISK")] == ["disk ok", "disk full"]
    assert [line[3] for line in mailbox.lines("search", "disk", "--text")] == ["disk ok", "hello", "disk full"]
    found = mailbox.lines("search", "--from", "kim", "--since", "2026-03-02", "--subject", "ok")
    assert [line[3] for line in found] == ["disk ok"]


def test_mails_are_deleted(mailbox: Mailbox) -> None:
    """Those that are named, and a program learns which."""
    mailbox.put(mail("a"), mail("b"), mail("c"))
    uids = [line[0] for line in mailbox.lines("list")]
    done = mailbox.run("delete", uids[0], uids[2], "--yes", "--json")
    assert json.loads(done.stdout) == [uids[0], uids[2]]
    assert mailbox.subjects == ["b"]


@pytest.mark.parametrize(("answer", "left", "code"), [("y\n", ["b"], 0), ("n\n", ["a", "b"], 1), ("\n", ["a", "b"], 1)])
def test_a_person_is_asked(mailbox: Mailbox, answer: str, left: list[str], code: int) -> None:
    """The mail is shown first, and only yes is yes."""
    mailbox.put(mail("a"), mail("b"))
    shown = mailbox.at_terminal("delete", "1", answer=("Delete this mail? [y/N]", answer))
    assert shown.returncode == code
    assert "Kim" in shown.text.partition("Delete this mail?")[0]
    assert mailbox.subjects == left


@pytest.mark.parametrize("name", ["nobody", "99"])
def test_all_are_deleted_or_none(mailbox: Mailbox, name: str) -> None:
    """65 for a name that no mail has."""
    mailbox.put(mail("a"))
    done = mailbox.run("delete", mailbox.lines("list")[0][0], name, "--yes")
    assert done.returncode == 65
    assert f"no mail has the uid {name}".encode() in done.stderr
    assert mailbox.subjects == ["a"]


def test_a_place_is_not_enough_where_nobody_is_asked(open_by: Open) -> None:
    """It may be another mail's by now."""
    mailbox = open_by("pop3")
    mailbox.put(mail("a"))
    assert mailbox.run("delete", "1", "--yes").returncode == 65
    assert mailbox.subjects == ["a"]


def test_nothing_is_deleted_where_nobody_can_be_asked(mailbox: Mailbox) -> None:
    """64 without --yes."""
    mailbox.put(mail("a"))
    assert mailbox.run("delete", "1").returncode == 64
    assert mailbox.subjects == ["a"]


def test_a_mail_that_is_not_there_ends_with_65(mailbox: Mailbox) -> None:
    """With where to look for one."""
    done = mailbox.run("show", "7")
    assert done.returncode == 65
    assert b"no mail has the number or uid 7; see mailalert mailbox list" in done.stderr


@pytest.mark.parametrize("scheme", ["pop3", "pop3s", "imap", "imaps"])
def test_the_mailbox_of_the_settings_is_read(open_by: Open, authority: Authority, scheme: str) -> None:
    """Over TLS too, verified by the authorities of the settings."""
    mailbox = open_by(scheme)
    mailbox.put(mail("hello"))
    (mailbox.home / "password").write_text(PASSWORD)
    environ = {
        "MAILALERT_MAILBOX__URL": mailbox.url,
        "MAILALERT_MAILBOX__PASSWORD_FILE": "password",
        "MAILALERT_MAILBOX__CA_FILE": str(authority.bundle),
    }
    done = mailalert("mailbox", "list", home=mailbox.home, environ=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.split(b"\t")[3] == b"hello"


@pytest.mark.parametrize("scheme", ["pop3s", "imaps"])
def test_a_certificate_is_verified(open_by: Open, authority: Authority, scheme: str) -> None:
    """78 unless its authority is named."""
    mailbox = open_by(scheme)
    mailbox.put(mail("hello"))
    refused = mailbox.run("list")
    assert refused.returncode == 78
    assert b"name its certificate as --ca-file\n" in refused.stderr
    assert mailbox.lines("list", "--ca-file", str(authority.bundle))[0][3] == "hello"


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_a_url_for_tls_at_a_port_without_it_is_corrected(open_by: Open, protocol: str) -> None:
    """Whatever the library says of it."""
    mailbox = open_by(protocol)
    url = mailbox.url.replace(f"{protocol}:", f"{protocol}s:")
    done = mailalert("mailbox", "list", *mailbox.where, "--mailbox", url, home=mailbox.home)
    assert done.returncode == 75
    assert f"begins in plaintext: write {protocol}:// instead of {protocol}s://".encode() in done.stderr


def test_another_folder_is_read(open_by: Open) -> None:
    """By IMAP; POP3 knows none."""
    mailbox = open_by("imap")
    mailbox.dovecot.put(USER, mail("kept"), folder="Archive")
    assert mailbox.lines("list", "--folder", "Archive")[0][3] == "kept"
    absent = mailbox.run("list", "--folder", "Absent")
    assert absent.returncode == 78
    assert b"correct --folder, or make it" in absent.stderr
    assert open_by("pop3").run("list", "--folder", "Archive").returncode == 64


def test_the_password_is_asked_for(mailbox: Mailbox) -> None:
    """At a terminal, on which it does not show."""
    mailbox.put(mail("hello"))
    arguments = ("mailbox", "list", "--mailbox", mailbox.url)
    shown = mailalert_at_terminal(*arguments, home=mailbox.home, answer=("Password for", f"{PASSWORD}\n"))
    assert shown.returncode == 0
    assert "hello" in shown.text
    assert PASSWORD not in shown.text
    without = mailalert(*arguments, home=mailbox.home)
    assert without.returncode == 64
    assert b"--password-file" in without.stderr


def test_a_password_on_the_command_line_is_refused(mailbox: Mailbox) -> None:
    """Everybody can see it there; it is not repeated."""
    url = mailbox.url.replace("@", f":{PASSWORD}@")
    done = mailalert("mailbox", "list", "--mailbox", url, home=mailbox.home)
    assert done.returncode == 64
    assert b"--password-file" in done.stderr
    assert PASSWORD.encode() not in done.stderr


def test_a_wrong_password_ends_with_78(mailbox: Mailbox) -> None:
    """And it does not show."""
    where = mailbox.where
    (mailbox.home / "password").write_text("canary-wrong")
    done = mailalert("mailbox", "list", *where, home=mailbox.home)
    assert done.returncode == 78
    assert b"canary" not in done.stderr


@pytest.mark.parametrize("scheme", ["pop3", "imap"])
def test_a_server_that_is_away_ends_with_75(tmp_path: Path, scheme: str) -> None:
    """It may come back."""
    (tmp_path / "password").write_text(PASSWORD)
    url = f"{scheme}://{USER}@127.0.0.1:{free_port()}"
    done = mailalert("mailbox", "list", "--mailbox", url, "--password-file", "password", home=tmp_path)
    assert done.returncode == 75


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--mailbox", "smtp://a@b"], b"--mailbox: no mailbox URL"),
        (["--password-file", "x"], b"go with --mailbox"),
    ],
    ids=["url", "file"],
)
def test_a_wrong_command_line_ends_with_64(tmp_path: Path, arguments: list[str], remedy: bytes) -> None:
    """With how to write it."""
    done = mailalert("mailbox", "list", *arguments, home=tmp_path)
    assert done.returncode == 64
    assert remedy in done.stderr


def test_settings_without_a_mailbox_end_with_78(tmp_path: Path) -> None:
    """With what to set."""
    done = mailalert("mailbox", "list", home=tmp_path)
    assert done.returncode == 78
    assert b"set url below [mailbox], or name one with --mailbox" in done.stderr
