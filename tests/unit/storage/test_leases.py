"""Mails under way when the daemon ended: flagged at the next start, because they may have been sent already."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.envelope import Delivery, QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.outcome import Outcome
from app.storage import writer
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from app.storage.leases import REASON
from tests.support.clock import NOW
from tests.support.desk import envelope_ids
from tests.support.factories import DEFERRED, LETTERHEAD, REFUSED, SENT, due_query, judged, verdict_on
from tests.support.sqlite_desk import HANG, SqliteDesk

LATER = NOW + timedelta(days=1)
LEASED = "SELECT value FROM meta WHERE name = 'leased'"


async def opened(directory: Path) -> SqliteDesk:
    """Open the journal, new or not."""
    journal = SqliteJournal(directory, mode=Mode.LIVE, backlog_limit=100)
    return SqliteDesk(journal, letterhead_id=await journal.keep(LETTERHEAD))


async def restarted(desk: SqliteDesk, directory: Path) -> SqliteDesk:
    """Open the journal anew after an end of which it knows nothing."""
    await desk.journal.close()
    return await opened(directory)


async def mails(desk: SqliteDesk) -> Sequence[QueuedMail]:
    """Return every mail that waits."""
    return await desk.journal.due(due_query(until=LATER))


async def test_what_was_under_way_is_flagged_for_each_recipient(tmp_path: Path) -> None:
    """Each of them may have the mail, and its next outcome says so."""
    desk = await opened(tmp_path)
    leased, other = envelope_ids(await desk.post(2))
    await desk.journal.lease({leased})
    again = await restarted(desk, tmp_path)
    first, second = await mails(again)
    assert [(d.ambiguous, d.attempts, d.reason) for d in first.deliveries] == [(True, 0, REASON)] * 2
    assert second.deliveries == (Delivery(0), Delivery(1))
    assert (first.envelope.id, second.envelope.id, again.journal.interrupted) == (leased, other, 1)
    await again.journal.close()


async def test_it_is_due_as_it_was_except_in_a_drain(tmp_path: Path) -> None:
    """A start sends it at once; a drain, which may be cut off again, leaves it alone."""
    desk = await opened(tmp_path)
    leased = envelope_ids(await desk.post())
    await desk.journal.lease(leased)
    again = await restarted(desk, tmp_path)
    assert await again.due_ids() == leased
    assert await again.due_ids(with_ambiguous=False) == []
    await again.journal.close()


async def test_a_recipient_keeps_what_is_known_of_him(tmp_path: Path) -> None:
    """Attempts and last reply stay; who was sent or refused has no part in it."""
    desk = await opened(tmp_path)
    deferred, partly = envelope_ids(await desk.post(2))
    for mail, outcomes in zip(await mails(desk), [(DEFERRED, DEFERRED), (REFUSED, DEFERRED)], strict=True):
        await desk.journal.record(judged(mail, outcomes))
    before = [mail.deliveries for mail in await mails(desk)]
    await desk.journal.lease([deferred, partly])
    again = await restarted(desk, tmp_path)
    after = [mail.deliveries for mail in await mails(again)]
    assert [[d.ambiguous for d in deliveries] for deliveries in after] == [[True, True], [False, True]]
    assert [d.reply for d in after[0]] == [d.reply for d in before[0]]
    assert [d.attempts for d in after[0]] == [1, 1]
    assert after[1][0] == before[1][0]
    await again.journal.close()


@pytest.mark.parametrize("outcome", [SENT, REFUSED], ids=["sent", "refused"])
async def test_what_is_finished_is_not_flagged(tmp_path: Path, outcome: Outcome) -> None:
    """A lease that outlives the outcome says nothing."""
    desk = await opened(tmp_path)
    batch = await desk.post()
    await desk.journal.lease(envelope_ids(batch))
    await desk.journal.record(verdict_on(batch.envelopes[0].id, outcome))
    again = await restarted(desk, tmp_path)
    report = await again.journal.find(batch.alerts[0].id)
    assert report is not None
    assert again.journal.interrupted == 0
    assert not any(delivery.ambiguous for delivery in report.envelopes[0].deliveries)
    await again.journal.close()


async def test_only_the_last_lease_counts(tmp_path: Path) -> None:
    """Each names all that is under way, also when many share a commit."""
    desk = await opened(tmp_path)
    first, second = envelope_ids(await desk.post(2))
    async with desk.held_writer():
        leases = [desk.journal.lease(ids) for ids in ([first], [first, second], [second])]
    for lease in leases:
        await lease
    assert await desk.value(LEASED) == f"[{second}]"
    again = await restarted(desk, tmp_path)
    assert again.journal.interrupted == 1
    await again.journal.close()


async def test_a_mail_is_flagged_once(tmp_path: Path) -> None:
    """The second start after a crash counts nothing again."""
    desk = await opened(tmp_path)
    await desk.journal.lease(envelope_ids(await desk.post()))
    again = await restarted(await restarted(desk, tmp_path), tmp_path)
    assert again.journal.interrupted == 0
    await again.journal.close()


async def test_after_a_clean_end_nothing_is_flagged(tmp_path: Path) -> None:
    """A drain has recorded all that it began."""
    desk = await opened(tmp_path)
    run, _ = await desk.journal.begin_run(NOW)
    await desk.journal.lease(envelope_ids(await desk.post()))
    await desk.journal.end_run(run, NOW)
    again = await restarted(desk, tmp_path)
    assert again.journal.interrupted == 0
    assert [d.ambiguous for mail in await mails(again) for d in mail.deliveries] == [False, False]
    await again.journal.close()


async def test_an_unreadable_letterhead_does_not_stop_the_start(tmp_path: Path) -> None:
    """Its mail is flagged as a whole, and goes into quarantine when it is due; the others are sent."""
    desk = await opened(tmp_path)
    bad, good = envelope_ids(await desk.post()), envelope_ids(await desk.post())
    await desk.ask(lambda c: c.execute("INSERT INTO letterheads (id, body) VALUES (77, 'no JSON')").rowcount)
    await desk.ask(lambda c: c.execute(f"UPDATE envelopes SET letterhead_id = 77 WHERE id = {bad[0]}").rowcount)
    await desk.journal.lease(bad + good)
    again = await restarted(desk, tmp_path)
    assert again.journal.interrupted == 2
    assert await again.due_ids() == good
    await again.journal.close()


async def test_a_lease_waits_until_the_journal_can_be_written(
    desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail goes on behind a full disk, and what is under way must be known once there is room."""
    monkeypatch.setattr(writer, "PROBE_EVERY", timedelta(milliseconds=20))
    (envelope,) = envelope_ids(await desk.post())
    desk.leave_pages(0)
    many = range(10_000)  # more than fits into pages that are there
    waiting = desk.journal.lease(many)
    with pytest.raises(JournalUnavailable):
        await desk.post(content="x" * 100_000)
    assert not waiting.done()
    desk.make_room()
    last = desk.journal.lease({envelope})
    await asyncio.wait_for(asyncio.gather(waiting, last), HANG)
    assert await desk.value(LEASED) == f"[{envelope}]"
