"""Files in the embedded journal: in small pieces, in the alert's own transaction."""

import pytest

from app.storage.attachments import PIECE_BYTES
from app.storage.changes import acceptance_of
from tests.support.factories import an_attachment
from tests.support.sqlite_desk import SqliteDesk

COUNT = "SELECT count(*) FROM attachments"
LARGEST = "SELECT max(length(data)) FROM attachments"


async def test_no_row_holds_more_than_a_piece(desk: SqliteDesk) -> None:
    """Ten megabytes at once would be copied more than once on their way."""
    await desk.post(attachments=(an_attachment(bytes(3 * PIECE_BYTES + 1)), an_attachment(b"x")))
    assert await desk.value(LARGEST) == PIECE_BYTES
    assert await desk.value(COUNT) == 5


async def test_an_alert_that_is_not_taken_leaves_no_file(desk: SqliteDesk) -> None:
    """Alert and files are committed together or not at all."""
    batch = desk.make.batch(2, attachments=(an_attachment(),))
    with pytest.raises(Exception, match="UNIQUE"):
        await desk.journal.accept(batch.alerts, batch.envelopes[:1] * 2)
    assert await desk.value(COUNT) == 0


async def test_alerts_with_files_share_a_commit_with_others(desk: SqliteDesk) -> None:
    """Many posts at once still share one fsync."""
    commits = await desk.commits()
    async with desk.held_writer():
        posts = [desk.make.batch(attachments=(an_attachment(bytes(PIECE_BYTES)),)) for _ in range(3)]
        waiting = [desk.submit(acceptance_of(post.alerts, post.envelopes)) for post in posts]
    for accepted in waiting:
        await accepted
    assert commits == ["COMMIT", "COMMIT"]  # what held the writer, and the three
    assert await desk.value(COUNT) == 3
