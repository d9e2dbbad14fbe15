"""Real mails: every sample gives what its table says."""

import zipfile
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest

from app.domain.address import Mailbox
from app.mail.reading.message import Message
from app.mail.reading.reader import read_message

SAMPLES = Path(__file__).parents[3] / "mail-samples"


def sample(name: str) -> Message:
    return read_message((SAMPLES / name).read_bytes())


def test_every_sample_is_in_the_table() -> None:
    """None was added that nobody says anything of."""
    table = (SAMPLES / "README.md").read_text()
    assert [path.name for path in SAMPLES.glob("*.eml") if path.name not in table] == []


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
    assert mail.html.endswith("<div>这是一封测试邮件,含有两个附件。</div>")


def test_the_files_of_a_mail_come_byte_for_byte() -> None:
    """They are what stands in the mail in base64, and nothing else is a file."""
    name = "gb18030-two-attachments.eml"
    blocks = (SAMPLES / name).read_bytes().split(b"\r\n\r\n")
    written = [b64decode(blocks[n + 1]) for n, block in enumerate(blocks) if b"filename=" in block]
    files = sample(name).files
    assert [file.file_name for file in files] == ["self.jpg", "test.docx"]
    assert [file.data for file in files] == written


def test_the_picture_can_be_seen_and_the_document_opened() -> None:
    """The one is a JPEG of 8 by 8, the other a zip with a document in it."""
    picture, document = (file.data for file in sample("gb18030-two-attachments.eml").files)
    assert picture.startswith(b"\xff\xd8\xff\xe0")
    assert picture.endswith(b"\xff\xd9")
    frame = picture.index(b"\xff\xc0")  # ITU-T T.81 section B.2.2: marker, length, precision, height, width
    assert picture[frame + 5 : frame + 9] == bytes([0, 8, 0, 8])
    archive = zipfile.ZipFile(BytesIO(document))
    assert archive.testzip() is None
    assert "word/document.xml" in archive.namelist()


@pytest.mark.parametrize(
    ("name", "sender", "subject", "text"),
    [
        (
            "reply-ack-gmail.eml",
            Mailbox("dana@example.com", "Dana Ops"),
            "Re: [db-room-3] Disk 97% full on db1",
            ["ack 2h", "", '> ack by replying "ack"'],
        ),
        (
            "reply-ack-outlook-html-only.eml",
            Mailbox("lee@example.com", "Lee Ops"),
            "RE: [db-room-3] Disk 97% full on db1",
            ["ACK", "", "please do not silence this"],
        ),
        (
            "reply-ack-qqmail-gb18030.eml",
            Mailbox("oncall@example.com", "值班"),
            "回复：[db-room-3] Disk 97% full on db1",
            ["ack", "", "------------------ 原始邮件 ------------------"],
        ),
    ],
    ids=["gmail", "outlook", "qqmail"],
)
def test_a_reply_is_read(name: str, sender: Mailbox, subject: str, text: list[str]) -> None:
    """What somebody wrote comes first, also out of HTML, and the quoted mail behind it."""
    mail = sample(name)
    assert (mail.sender, mail.subject) == (sender, subject)
    lines = mail.text.splitlines()
    assert lines[:2] == text[:2]
    assert text[2] in lines
    assert mail.in_reply_to == ("<019ab0c2.a1@alerts.example.com>",)


def test_an_automatic_reply_says_so() -> None:
    """The keyword of RFC 3834 is there for whoever must not answer a robot."""
    assert sample("auto-reply-out-of-office.eml").auto_submitted == "auto-replied"
