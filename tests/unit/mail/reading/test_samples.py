"""Real mails: every sample gives what its table says."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.mail.reading.message import Message
from app.mail.reading.reader import read_message

SAMPLES = Path(__file__).parents[3] / "mail-samples"


def sample(name: str) -> Message:
    return read_message((SAMPLES / name).read_bytes())


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_a_real_mail_has_no_defects(path: Path) -> None:
    """What mail programs really send is read without a complaint."""
    assert read_message(path.read_bytes()).defects == ()


def test_a_mail_in_gb18030_is_read() -> None:
    """Names, subject and text are Chinese as they were written."""
    mail = sample("gb18030-two-attachments.eml")
    assert mail.sender == Mailbox("sender@example.com", "左雪")
    assert mail.to == (Mailbox("alerts@example.com", "alerts"),)
    assert mail.subject == "测试邮件"
    assert mail.text == "这是一封测试邮件,含有两个附件。"
    assert "<div>这是" in mail.html


def test_the_files_of_a_mail_come_byte_for_byte() -> None:
    """A picture is one to its last byte, and a document can be opened."""
    picture, document = sample("gb18030-two-attachments.eml").files
    assert (picture.file_name, document.file_name) == ("self.jpg", "test.docx")
    assert picture.data.startswith(b"\xff\xd8\xff\xe0")
    assert picture.data.endswith(b"\xff\xd9")
    assert zipfile.ZipFile(BytesIO(document.data)).testzip() is None


@pytest.mark.parametrize(
    ("name", "first_line"),
    [
        ("reply-ack-gmail.eml", "ack 2h"),
        ("reply-ack-outlook-html-only.eml", "ACK"),
        ("reply-ack-qqmail-gb18030.eml", "ack"),
    ],
    ids=["gmail", "outlook", "qqmail"],
)
def test_the_first_line_of_a_reply_is_the_person_s(name: str, first_line: str) -> None:
    """What somebody wrote above the quoted mail comes first, also out of HTML."""
    mail = sample(name)
    assert mail.text.splitlines()[0] == first_line
    assert mail.in_reply_to == ("<019ab0c2.a1@alerts.example.com>",)


def test_an_automatic_reply_says_so() -> None:
    """The keyword of RFC 3834 is there for whoever must not answer a robot."""
    assert sample("auto-reply-out-of-office.eml").auto_submitted == "auto-replied"
