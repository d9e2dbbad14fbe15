"""What the SQLite journal does of its own with the mailbox: short steps, whole transactions, and crashes between."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.envelope import DeliveryState
from app.domain.feedback import Feedback
from app.domain.mail_read import SEEN, MailboxName, MailRead, UnreadMail
from app.storage import acknowledgements, bounces, mailbox_record, queue_reads
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.clock import NOW
from tests.support.factories import SENT, due_query, judged
from tests.support.sqlite_desk import HANG, SqliteDesk

ROOT = Path(__file__).parents[3]
BOX = MailboxName("box", "7")
NEXT_EPOCH = MailboxName("box", "8")
STORED = "SELECT count(*) FROM mailbox_mails"
EPOCHS = "SELECT count(*) FROM mailboxes"
# Takes an alert with each mail, one after the other, and tells the uid only once both are taken, until it is killed.
READER = """
import asyncio, sys
from pathlib import Path
from app.domain.feedback import Feedback
from app.domain.mail_read import MailRead
from app.storage.database import Mode
from app.storage.journal import SqliteJournal
from tests.support.clock import NOW
from tests.support.factories import LETTERHEAD, Factory
from tests.unit.storage.test_mailbox_journal import BOX

async def read():
    journal = SqliteJournal(Path(sys.argv[1]), mode=Mode.LIVE, backlog_limit=10**6)
    make = Factory(letterhead_id=await journal.keep(LETTERHEAD))
    await journal.mailbox.begin_poll(BOX, [])
    for number in range(10**6):
        await journal.mailbox.begin_reading(BOX, [f"{number}"])
        batch = make.batch()
        read = MailRead(mailbox=BOX, uid=f"{number}", at=NOW, what="other")
        await journal.accept(batch.alerts, batch.envelopes, feedback=Feedback(reads=(read,)))
        print(number, flush=True)

asyncio.run(read())
"""


def seen(count: int, mailbox: MailboxName = BOX) -> list[MailRead]:
    """Return that so many mails were there at the first poll."""
    return [MailRead(mailbox=mailbox, uid=f"u{number}", at=NOW, what=SEEN) for number in range(count)]


async def begin_and_crash(desk: SqliteDesk, count: int) -> None:
    """Do of a first poll what comes before its end."""
    number = await desk.ask(lambda connection: mailbox_record.add_mailbox(connection, BOX))
    await desk.ask(lambda connection: mailbox_record.add_seen(connection, number, seen(count)))


async def test_a_first_poll_that_a_crash_ended_is_still_to_come(desk: SqliteDesk) -> None:
    """What it had noted already counts for nothing, and is gone with the next one."""
    await begin_and_crash(desk, 10)
    assert not await desk.journal.mailbox.is_known(BOX)
    assert not await desk.journal.mailbox.was_polled(BOX.name)
    assert await desk.journal.mailbox.unread(BOX, ["u1"]) == [UnreadMail("u1")]
    await desk.journal.mailbox.begin_poll(BOX, seen(3))
    assert await desk.journal.mailbox.recorded(BOX) == ["u0", "u1", "u2"]
    assert (await desk.value(STORED), await desk.value(EPOCHS)) == (3, 1)


async def test_an_epoch_holds_until_the_next_one_is_whole(desk: SqliteDesk) -> None:
    """A crash between the two leaves the mailbox as one that was polled."""
    await desk.journal.mailbox.begin_poll(NEXT_EPOCH, seen(2, NEXT_EPOCH))
    await begin_and_crash(desk, 1)
    assert (await desk.journal.mailbox.is_known(NEXT_EPOCH), await desk.journal.mailbox.was_polled(BOX.name)) == (
        True,
        True,
    )


async def test_a_long_record_is_forgotten_whole(desk: SqliteDesk) -> None:
    """Step by step, and other mailboxes stay."""
    other = MailboxName("other")
    await desk.journal.mailbox.begin_poll(other, seen(5, other))
    await desk.journal.mailbox.begin_poll(BOX, seen(3 * mailbox_record.STEP))
    await desk.journal.mailbox.begin_poll(NEXT_EPOCH, seen(1, NEXT_EPOCH))
    assert (await desk.value(STORED), await desk.value(EPOCHS)) == (6, 2)


async def test_a_post_does_not_wait_for_a_long_first_poll(desk: SqliteDesk) -> None:
    """It goes in between two of its steps."""
    poll = asyncio.create_task(desk.journal.mailbox.begin_poll(BOX, seen(30 * mailbox_record.STEP)))
    await desk.post()
    is_done = poll.done()
    await poll
    assert not is_done
    assert len(await desk.journal.mailbox.recorded(BOX)) == 30 * mailbox_record.STEP


async def test_no_mail_is_read_where_its_alert_is_not_taken(desk: SqliteDesk) -> None:
    """Neither is the acknowledgement in it recorded: the mail comes again."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    batch = await desk.post()
    with pytest.raises(Exception, match="UNIQUE"):
        await desk.journal.accept(batch.alerts, (), feedback=Feedback(reads=tuple(seen(1))))
    assert await desk.journal.mailbox.recorded(BOX) == []


async def test_a_bounce_is_taken_whole_or_not_at_all(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault at its very end undoes the outcome and the record that the report was read."""

    def fail(*_arguments: Any, **_named: Any) -> bool:
        raise ValueError("a defect")

    await desk.journal.mailbox.begin_poll(BOX, [])
    await desk.post()
    (mail,) = await desk.journal.due(due_query())
    await desk.journal.record(judged(mail, (SENT, SENT)))
    told = BouncedRecipient(kind=BounceKind.FAILED, address="ops@example.org", status="5.1.1")
    report = BounceReport(envelope_id=mail.envelope.id, recipients=(told,))
    monkeypatch.setattr(bounces, "count_bounce", fail)
    with pytest.raises(ValueError, match="a defect"):
        await desk.journal.mailbox.take_bounce(report, seen(1)[0], set_aside_after=1, is_final=False)
    after = await desk.journal.mail(mail.envelope.id)
    assert after is not None
    assert {delivery.state for delivery in after.deliveries} == {DeliveryState.SENT}
    assert await desk.journal.mailbox.recorded(BOX) == []


async def test_each_mail_is_read_once_over_a_kill_9(tmp_path: Path) -> None:
    """Whatever was told is on record, each mail beside just one alert; at most the last one begins again."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        told = [reader.stdout.readline().strip() for _ in range(50)]
        os.kill(reader.pid, signal.SIGKILL)
        told += reader.stdout.read().split()
        reader.wait(HANG)
    journal = SqliteJournal(tmp_path, mode=Mode.LIVE, backlog_limit=10**6)
    recorded = await journal.mailbox.recorded(BOX)
    following = await journal.mailbox.unread(BOX, [str(len(recorded))])
    assert set(recorded) >= set(told)
    assert journal.open_count == len(recorded)
    assert following[0].attempts <= 1
    await journal.close()


PLANS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "unread": (
        mailbox_record.UNREAD,
        {"name": "box", "epoch": "", "uids": "[]"},
        ["SEARCH m USING PRIMARY KEY (mailbox_id=? AND uid=?)"],
    ),
    "recorded": (
        mailbox_record.RECORDED,
        {"name": "box", "epoch": "", "after": "", "limit": 1},
        ["SEARCH mailbox_mails USING PRIMARY KEY (mailbox_id=? AND uid>?)"],
    ),
    "to remove": (
        mailbox_record.TO_REMOVE,
        {"name": "box", "epoch": ""},
        ["SEARCH mailbox_mails USING INDEX mailbox_mails_to_remove (mailbox_id=?)"],
    ),
    "forgotten": (
        mailbox_record.DROP_MAILS,
        {"id": 1},
        ["SEARCH mailbox_mails USING PRIMARY KEY (mailbox_id=? AND uid=?)"],
    ),
    "longest wait": (
        queue_reads.LOWEST_RUNNING_SECONDS,
        {"rank": 1, "now": 1},
        ["envelopes_waiting (rank=?)", "INDEX acknowledgements_standing (alert_id=?)"],
    ),
    "overdue": (
        queue_reads.OVERDUE_UNACKNOWLEDGED,
        {"made_before": 1, "after": 0, "limit": 1, "quarantined": "[]", "now": 1},
        ["envelopes_waiting (rank=? AND running_seconds<?)", "INDEX acknowledgements_standing (alert_id=?)"],
    ),
    "events": (acknowledgements.EVENTS, {}, ["INDEX acknowledgements_alert (alert_id=?)"]),
}


@pytest.mark.parametrize(("query", "parameters", "searches"), PLANS.values(), ids=PLANS.keys())
async def test_nothing_walks_over_a_table(
    desk: SqliteDesk, query: str, parameters: dict[str, Any], searches: list[str]
) -> None:
    """Half a million mails in a mailbox, or a million that wait, are not looked at one by one."""
    values = parameters or (1,)
    rows = await desk.ask(lambda connection: connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall())
    plan = " / ".join(row[3] for row in rows)
    for search in searches:
        assert search in plan
    assert not any(f"SCAN {table}" in plan for table in ("m", "mailbox_mails", "k", "acknowledgements", "envelopes"))
