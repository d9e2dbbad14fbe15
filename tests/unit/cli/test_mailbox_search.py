"""Mails are searched by their headers, and by their text only if somebody asks for that."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.cli.mailbox_search import STEP, Wanted, search, wanted_of
from app.mail.reading.reader import read_message
from tests.support.fake_mailbox import FakeMailbox


def mail(subject: str = "", sender: str = "", text: str = "", day: int = 1) -> bytes:
    """Return a mail of that day in March."""
    date = f"{day} Mar 2026 12:00:00 +0000"
    head = f"From: {sender}\r\nTo: Ops <ops@example.org>\r\nSubject: {subject}\r\nDate: {date}\r\n"
    return f"{head}\r\n{text}\r\n".encode()


MAILS = {
    "a": mail("Disk full", "Root <root@db1.example.org>", "on the large disk", day=1),
    "b": mail("Grüße", "kim@example.com", "the disk is full", day=2),
    "c": mail("disk replaced", "kim@example.com", "done", day=3),
}


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        ({"words": "DISK"}, "ca"),
        ({"words": "disk", "in_text": True}, "cba"),
        ({"words": "grüsse"}, "b"),
        ({"words": "ops@"}, "cba"),
        ({"sender": "root"}, "a"),
        ({"sender": "KIM@", "subject": "disk"}, "c"),
        ({"since": datetime(2026, 3, 2, tzinfo=UTC)}, "cb"),
        ({"words": "nobody wrote this", "in_text": True}, ""),
    ],
    ids=["words", "text", "sharp s", "recipient", "sender", "both", "since", "nothing"],
)
async def test_mails_are_found(wanted: dict[str, Any], uids: str) -> None:
    """The newest first, whatever the case of the letters is."""
    found = await search(await FakeMailbox(dict(MAILS)).connect(), Wanted(**wanted), limit=9)
    assert "".join(head.mail.entry.uid for head in found) == uids


async def test_no_mail_is_read_for_its_header_alone() -> None:
    """A search costs headers; with --text it costs the mails whose header does not do."""
    box = FakeMailbox(dict(MAILS))
    await search(await box.connect(), Wanted(words="disk"), limit=9)
    assert box.fetched == []
    await search(await box.connect(), Wanted(words="disk", in_text=True), limit=9)
    assert box.fetched == ["b"]


async def test_what_was_found_soon_is_enough() -> None:
    """Of a large mailbox only the newest mails are asked for."""
    box = FakeMailbox({f"u{number}": mail("x", text="x") for number in range(STEP * 3)})
    await search(await box.connect(), Wanted(words="text", in_text=True), limit=1)
    assert len(box.fetched) == STEP * 3
    found = await search(await box.connect(), Wanted(words="x"), limit=1)
    assert len(found) == STEP


def test_a_mail_without_a_date_is_of_no_day() -> None:
    """It is not known to be new."""
    head = read_message(mail().replace(b"Date", b"X-Date"))
    assert not Wanted(since=datetime(1970, 1, 1, tzinfo=UTC)).may_be(head)


@pytest.mark.parametrize("asked", [{}, {"in_text": True}, {"in_text": True, "sender": "x"}], ids=str)
def test_nothing_is_not_looked_for(asked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """64, with what could be."""
    with pytest.raises(SystemExit) as ended:
        wanted_of(since=None, **asked)
    assert ended.value.code == 64
    assert "TEXT" in capsys.readouterr().err
