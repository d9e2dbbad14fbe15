"""What every journal does with the files that came with an alert."""

from dataclasses import replace

import pytest

from app.domain.outcome import Outcome
from app.storage.attachments import PIECE_BYTES
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids
from tests.support.factories import DEFERRED, SENT, an_attachment, due_query, verdict_on

SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7]


def contents_of(size: int) -> bytes:
    """Return bytes of which no two pieces are alike."""
    return b"".join(n.to_bytes(4, "big") for n in range(size // 4 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_comes_back_byte_by_byte(desk: Desk, size: int) -> None:
    """No piece of it is missing, doubled or out of order."""
    data = contents_of(size)
    batch = await desk.post(attachments=(an_attachment(data),))
    assert await desk.journal.attachments(batch.alerts[0].id) == {0: data}


async def test_files_come_back_in_their_order(desk: Desk) -> None:
    """Each alert has its own, also one that is empty among others."""
    contents = [b"first", b"", contents_of(2 * PIECE_BYTES), b"last"]
    files = tuple(map(an_attachment, contents))
    other = await desk.post(attachments=(an_attachment(b"another"),))
    batch = await desk.post(attachments=files)
    assert await desk.journal.attachments(batch.alerts[0].id) == dict(enumerate(contents))
    assert await desk.journal.attachments(other.alerts[0].id) == {0: b"another"}


async def test_an_alert_without_files_has_none(desk: Desk) -> None:
    """Nothing is made up."""
    batch = await desk.post()
    assert await desk.journal.attachments(batch.alerts[0].id) == {}


async def test_neither_queue_nor_report_holds_the_contents(desk: Desk) -> None:
    """A window full of files would not fit into memory: only name, type and size are read."""
    file = an_attachment(b"12345", name="größe.txt")
    batch = await desk.post(attachments=(file,))
    (mail,) = await desk.journal.due(due_query())
    report = await desk.journal.find(batch.alerts[0].id)
    assert report is not None
    assert mail.accepted.alert.attachments == (replace(file, data=b""),)
    assert report.accepted.alert.attachments == (replace(file, data=b""),)


async def test_files_do_not_count_against_the_bytes_of_a_page(desk: Desk) -> None:
    """They are not loaded with it."""
    batch = await desk.post(3, attachments=(an_attachment(contents_of(100_000)),))
    assert await desk.due_ids(max_bytes=10_000) == envelope_ids(batch)


async def test_a_mail_goes_without_its_files_once_they_are_too_large(desk: Desk) -> None:
    """It stays in the queue, due at once, and neither sender nor people forget it."""
    batch = await desk.post(attachments=(an_attachment(),))
    (envelope,) = envelope_ids(batch)
    await desk.journal.record(replace(verdict_on(envelope, DEFERRED), due_at=NOW, without_attachments=True))
    (mail,) = await desk.journal.due(due_query())
    report = await desk.journal.find(batch.alerts[0].id)
    assert mail.envelope.without_attachments
    assert report is not None
    assert report.envelopes[0].without_attachments


@pytest.mark.parametrize("outcome", [DEFERRED, SENT], ids=["deferred", "sent"])
async def test_no_later_attempt_puts_the_files_back(desk: Desk, outcome: Outcome) -> None:
    """The mail without them is another message, and stays it to the end."""
    batch = await desk.post(attachments=(an_attachment(),))
    (envelope,) = envelope_ids(batch)
    await desk.journal.record(replace(verdict_on(envelope, DEFERRED), without_attachments=True))
    await desk.journal.record(verdict_on(envelope, outcome))
    report = await desk.journal.find(batch.alerts[0].id)
    assert report is not None
    assert report.envelopes[0].without_attachments
