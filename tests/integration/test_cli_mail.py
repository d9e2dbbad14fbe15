"""`mailalert mail` reads a file: nothing of a mail is lost, and nothing in it does harm."""

import io
import json
import zipfile
from base64 import b64decode
from pathlib import Path

import pytest

from tests.support.hostile_mail import NAMES, hostile_mail
from tests.support.mailalert_command import mailalert
from tests.support.mailalert_terminal import mailalert_at_terminal

SAMPLES = Path(__file__).parents[1] / "mail-samples"
ATTACHMENTS = SAMPLES / "gb18030-two-attachments.eml"
TEXT = "这是一封测试邮件,含有两个附件。"
SOME_TEXT = b"Subject: s\r\n\r\ntext\r\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file with a hostile mail."""
    file = tmp_path / "hostile.eml"
    file.write_bytes(hostile_mail())
    return file


def test_a_mail_is_shown(tmp_path: Path) -> None:
    """Who wrote it, when and about what, its text, and its files, whatever its charset is."""
    done = mailalert("mail", "show", str(ATTACHMENTS), home=tmp_path, environ={"TZ": "Asia/Shanghai"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        "From:     左雪 <sender@example.com>",
        "To:       alerts <alerts@example.com>",
        "Date:     2020-04-25 20:52:43 +0800",
        "Subject:  测试邮件",
        "",
        TEXT,
        "",
        "Files:",
        "- self.jpg (application/octet-stream, 633 bytes)",
        "- test.docx (application/octet-stream, 502 bytes)",
    ]


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_the_source_in_a_pipe_is_the_file(sample: Path, tmp_path: Path) -> None:
    """Byte for byte."""
    assert mailalert("mail", "show", str(sample), "--source", home=tmp_path).stdout == sample.read_bytes()


def test_the_header_is_shown_decoded(tmp_path: Path) -> None:
    """Every field in its order, one on each line."""
    lines = mailalert("mail", "show", str(ATTACHMENTS), "--headers", home=tmp_path).stdout.decode().splitlines()
    assert [line.partition(":")[0] for line in lines][:4] == ["Received", "From", "To", "Subject"]
    assert 'From: "左雪" <sender@example.com>' in lines


def test_the_html_is_shown_as_it_came(tmp_path: Path) -> None:
    """And a mail that has none says so with 65."""
    shown = mailalert("mail", "show", str(ATTACHMENTS), "--html", home=tmp_path)
    assert f"<div>{TEXT}</div>" in shown.stdout.decode()
    without = mailalert("mail", "show", "-", "--html", home=tmp_path, stdin=SOME_TEXT)
    assert (without.returncode, without.stdout) == (65, b"")


@pytest.mark.parametrize("view", ["--headers", "--source"])
def test_one_view_is_shown_at_a_time(tmp_path: Path, view: str) -> None:
    """Of two none is left out in silence."""
    done = mailalert("mail", "show", str(ATTACHMENTS), "--html", view, home=tmp_path)
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"use one of them" in done.stderr


def test_json_has_all_that_is_known(tmp_path: Path) -> None:
    """Addresses as objects, times in UTC, and what the other options show besides."""
    shown = json.loads(mailalert("mail", "show", str(ATTACHMENTS), "--json", home=tmp_path).stdout)
    assert (shown["from"], shown["to"]) == (
        {"address": "sender@example.com", "name": "左雪"},
        [{"address": "alerts@example.com", "name": "alerts"}],
    )
    assert (shown["subject"], shown["date"], shown["text"]) == ("测试邮件", "2020-04-25T12:52:43Z", TEXT)
    assert [(file["name"], file["size_bytes"]) for file in shown["files"]] == [("self.jpg", 633), ("test.docx", 502)]
    assert (shown["cc"], shown["defects"]) == ([], [])


def test_json_has_more_if_that_is_asked_for(tmp_path: Path) -> None:
    """The octets as base64: they are no text."""
    views = ("--headers", "--html", "--source")
    headers, html, source = (
        json.loads(mailalert("mail", "show", str(ATTACHMENTS), view, "--json", home=tmp_path).stdout) for view in views
    )
    assert {"name": "Subject", "value": "测试邮件"} in headers["headers"]
    assert f"<div>{TEXT}</div>" in html["html"]
    assert b64decode(source["source"]) == ATTACHMENTS.read_bytes()


def test_files_are_saved(tmp_path: Path) -> None:
    """Where they are meant to be, and a program gets their paths."""
    done = mailalert("mail", "save", str(ATTACHMENTS), "--dir", "new/folder", home=tmp_path)
    assert done.stdout.decode().splitlines() == [
        "new/folder/self.jpg\tapplication/octet-stream\t633",
        "new/folder/test.docx\tapplication/octet-stream\t502",
    ]
    assert (tmp_path / "new/folder/self.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert zipfile.is_zipfile(io.BytesIO((tmp_path / "new/folder/test.docx").read_bytes()))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second time, from stdin to where the command runs, there are other names."""
    (tmp_path / "self.jpg").write_bytes(b"mine")
    done = mailalert("mail", "save", "-", "--json", home=tmp_path, stdin=ATTACHMENTS.read_bytes())
    saved = json.loads(done.stdout)
    assert [file["path"] for file in saved] == ["self (2).jpg", "test.docx"]
    assert (tmp_path / "self.jpg").read_bytes() == b"mine"


def test_names_that_are_paths_lead_nowhere(hostile: Path, tmp_path: Path) -> None:
    """Every file lands in the directory, with what is in it."""
    (tmp_path / "in").mkdir()
    done = mailalert("mail", "save", str(hostile), "--dir", "in/out", "--json", home=tmp_path)
    saved = json.loads(done.stdout)
    assert [Path(file["path"]).parent for file in saved] == [Path("in/out")] * len(NAMES)
    texts = [(tmp_path / file["path"]).read_text() for file in saved]
    assert texts == [f"file {number}" for number in range(len(NAMES))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.eml", "in"]
    assert list((tmp_path / "in").iterdir()) == [tmp_path / "in/out"]


@pytest.mark.parametrize(
    "view", [[], ["--headers"], ["--html"], ["--source"], ["--json"], ["--source", "--json"]], ids=str
)
def test_a_mail_gives_no_orders_to_a_terminal(hostile: Path, tmp_path: Path, view: list[str]) -> None:
    """Whatever is shown of it."""
    shown = mailalert_at_terminal("mail", "show", str(hostile), *view, home=tmp_path)
    assert shown.returncode == 0
    assert not set(shown.text) & set("\x07\x1b\x9b\u202e")


def test_names_of_files_give_no_orders_to_a_terminal(hostile: Path, tmp_path: Path) -> None:
    """Nor their paths once they are saved."""
    shown = mailalert_at_terminal("mail", "save", str(hostile), "--dir", "out", home=tmp_path)
    assert len(shown.text.splitlines()) == len(NAMES)
    assert not set(shown.text) & set("\x07\x1b\x9b\u202e")


@pytest.mark.parametrize("order", ["Subject: hello", "X-Raw: \\x1b[2J"], ids=["header", "order"])
def test_the_source_on_a_terminal_shows_what_is_in_it(tmp_path: Path, hostile: Path, order: str) -> None:
    """Octets that are no text as escapes."""
    data = hostile.read_bytes().replace(b"Subject: ", b"Subject: hello ")
    hostile.write_bytes(data)
    assert order in mailalert_at_terminal("mail", "show", str(hostile), "--source", home=tmp_path).text


@pytest.mark.parametrize("file", ["absent.eml", "."], ids=["absent", "directory"])
def test_a_file_that_cannot_be_read_ends_with_66(tmp_path: Path, file: str) -> None:
    """It is named."""
    done = mailalert("mail", "show", file, home=tmp_path)
    assert done.returncode == 66
    assert f"cannot read {file}".encode() in done.stderr


def test_a_file_that_cannot_be_saved_ends_with_74(tmp_path: Path) -> None:
    """A file stands where the directory should be made."""
    (tmp_path / "file").touch()
    done = mailalert("mail", "save", str(ATTACHMENTS), "--dir", "file/below", home=tmp_path)
    assert done.returncode == 74
    assert b"2 of 2 files could not be saved in file/below" in done.stderr


@pytest.mark.parametrize("data", [b"", b"\x00\xff\x1b[2J", b"Subject"], ids=["empty", "octets", "no mail"])
def test_what_is_no_mail_is_shown_all_the_same(tmp_path: Path, data: bytes) -> None:
    """With what is wrong with it."""
    done = mailalert("mail", "show", "-", home=tmp_path, stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
