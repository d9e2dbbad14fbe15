"""What every journal remembers of the mails of a mailbox, so that each is read once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.feedback import Feedback
from app.domain.mail_read import SEEN, SET_ASIDE, AfterReading, MailboxName, MailRead, RemovableMail, UnreadMail
from tests.support.clock import NOW
from tests.support.desk import Desk

HOUR = timedelta(hours=1)
KEEP, DELETE, MOVE = AfterReading
BOX = MailboxName("alerts@example.org", "7")
NEXT_EPOCH = replace(BOX, epoch="8")
OTHER = MailboxName("other@example.org", "7")


def a_read(uid: str, *, mailbox: MailboxName = BOX, what: str = "other", then: AfterReading = KEEP) -> MailRead:
    """Return that a mail was read."""
    return MailRead(mailbox=mailbox, uid=uid, at=NOW, what=what, then=then)


def seen(*uids: str, mailbox: MailboxName = BOX) -> list[MailRead]:
    """Return that these were there at the first poll."""
    return [a_read(uid, mailbox=mailbox, what=SEEN) for uid in uids]


async def unread(desk: Desk, uids: Sequence[str], mailbox: MailboxName = BOX) -> list[str]:
    """Return which of these are unread."""
    return [mail.uid for mail in await desk.journal.mailbox.unread(mailbox, uids)]


async def test_a_mailbox_is_known_by_its_first_poll(desk: Desk) -> None:
    """Also when it was empty then."""
    before = await desk.journal.mailbox.is_known(BOX), await desk.journal.mailbox.was_polled(BOX.name)
    await desk.journal.mailbox.begin_poll(BOX, [])
    assert before == (False, False)
    assert (await desk.journal.mailbox.is_known(BOX), await desk.journal.mailbox.was_polled(BOX.name)) == (True, True)


async def test_mailboxes_are_told_apart_by_name(desk: Desk) -> None:
    """What is known of one says nothing of another, whose epoch and uids may be the same."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1"))
    assert not await desk.journal.mailbox.is_known(OTHER)
    assert not await desk.journal.mailbox.was_polled(OTHER.name)
    await desk.journal.mailbox.begin_poll(OTHER, [])
    assert await unread(desk, ["1"], OTHER) == ["1"]
    assert await unread(desk, ["1"]) == []


async def test_what_was_there_at_the_first_poll_is_not_read(desk: Desk) -> None:
    """All that came later is, in the order given."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1", "2"))
    assert await desk.journal.mailbox.unread(BOX, ["3", "2", "10", "1"]) == [UnreadMail("3"), UnreadMail("10")]


async def test_a_mail_that_was_read_is_not_read_again(desk: Desk) -> None:
    """Neither is one that cannot be read."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    await desk.journal.mailbox.note_read([a_read("1"), a_read("2", what=SET_ASIDE)])
    assert await unread(desk, ["1", "2", "3"]) == ["3"]


async def test_attempts_are_counted_until_a_mail_is_read(desk: Desk) -> None:
    """A mail that ends the daemon is known by them."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    await desk.journal.mailbox.begin_reading(BOX, ["1", "2"])
    await desk.journal.mailbox.begin_reading(BOX, ["1"])
    assert await desk.journal.mailbox.unread(BOX, ["1", "2", "3"]) == [
        UnreadMail("1", 2),
        UnreadMail("2", 1),
        UnreadMail("3"),
    ]
    await desk.journal.mailbox.note_read([a_read("1")])
    assert await unread(desk, ["1", "2"]) == ["2"]


async def test_only_what_was_read_is_recorded(desk: Desk) -> None:
    """An attempt is no reading."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1"))
    await desk.journal.mailbox.begin_reading(BOX, ["2", "3"])
    await desk.journal.mailbox.note_read([a_read("3")])
    assert sorted(await desk.journal.mailbox.recorded(BOX)) == ["1", "3"]
    assert await desk.journal.mailbox.recorded(OTHER) == []


async def test_a_mail_that_is_to_go_is_named_until_it_is_gone(desk: Desk) -> None:
    """And by which way; the others stay on the server."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1"))
    await desk.journal.mailbox.note_read([a_read("2", then=DELETE), a_read("3"), a_read("4", then=MOVE)])
    wanted = [RemovableMail("2", DELETE), RemovableMail("4", MOVE)]
    assert [await desk.journal.mailbox.to_remove(BOX), await desk.journal.mailbox.to_remove(BOX)] == [wanted, wanted]
    await desk.journal.mailbox.note_gone(BOX, ["2", "4"], NOW)
    assert await desk.journal.mailbox.to_remove(BOX) == []


async def test_so_many_are_named_as_a_server_deletes_at_once(desk: Desk) -> None:
    """A thousand; the next ones when these are gone."""
    uids = [f"{number:04}" for number in range(1001)]
    await desk.journal.mailbox.begin_poll(BOX, [])
    await desk.journal.mailbox.note_read([a_read(uid, then=DELETE) for uid in uids])
    assert [mail.uid for mail in await desk.journal.mailbox.to_remove(BOX)] == uids[:1000]


async def test_a_mail_that_is_gone_counts_as_read(desk: Desk) -> None:
    """It may come back; and then it is to be removed again."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1"))
    await desk.journal.mailbox.note_read([a_read("2", then=DELETE)])
    await desk.journal.mailbox.note_gone(BOX, ["1", "2", "never there"], NOW)
    assert await unread(desk, ["1", "2", "3"]) == ["3"]
    await desk.journal.mailbox.note_back(BOX, ["2", "never there"])
    assert await desk.journal.mailbox.to_remove(BOX) == [RemovableMail("2", DELETE)]


async def test_what_is_gone_for_long_is_forgotten(desk: Desk) -> None:
    """Counted from when it was first missed; attempts go too, and what came back stays."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1", "2", "3"))
    await desk.journal.mailbox.begin_reading(BOX, ["4"])
    await desk.journal.mailbox.note_gone(BOX, ["1", "2", "4"], NOW)
    await desk.journal.mailbox.note_gone(BOX, ["1", "3"], NOW + HOUR)
    await desk.journal.mailbox.note_back(BOX, ["2"])
    await desk.journal.mailbox.forget_gone(BOX, NOW)
    assert await desk.journal.mailbox.recorded(BOX) == ["1", "2", "3"]
    await desk.journal.mailbox.forget_gone(BOX, NOW + HOUR)
    assert await desk.journal.mailbox.recorded(BOX) == ["2", "3"]
    assert await desk.journal.mailbox.unread(BOX, ["4"]) == [UnreadMail("4")]


async def test_an_attempt_is_taken_back(desk: Desk) -> None:
    """It came to nothing through no fault of the mail; never below none."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    for _ in range(2):
        await desk.journal.mailbox.begin_reading(BOX, ["1", "2"])
    for _ in range(3):
        await desk.journal.mailbox.end_attempt(BOX, ["1", "3"])
    assert await desk.journal.mailbox.unread(BOX, ["1", "2", "3"]) == [
        UnreadMail("1"),
        UnreadMail("2", 2),
        UnreadMail("3"),
    ]


async def test_another_epoch_begins_anew(desk: Desk) -> None:
    """Its uids are others, and the record of the one before is gone."""
    await desk.journal.mailbox.begin_poll(BOX, seen("1", "2"))
    before = await desk.journal.mailbox.is_known(NEXT_EPOCH), await desk.journal.mailbox.was_polled(BOX.name)
    await desk.journal.mailbox.begin_poll(NEXT_EPOCH, seen("5", mailbox=NEXT_EPOCH))
    assert before == (False, True)
    assert not await desk.journal.mailbox.is_known(BOX)
    assert await desk.journal.mailbox.recorded(NEXT_EPOCH) == ["5"]
    assert await desk.journal.mailbox.recorded(BOX) == []


async def test_a_mail_of_an_epoch_that_is_over_is_not_recorded(desk: Desk) -> None:
    """Its uid may be that of another mail by now."""
    await desk.journal.mailbox.begin_poll(NEXT_EPOCH, [])
    await desk.journal.mailbox.begin_reading(BOX, ["1"])
    await desk.journal.mailbox.note_read([a_read("1", then=DELETE)])
    assert await desk.journal.mailbox.unread(NEXT_EPOCH, ["1"]) == [UnreadMail("1")]
    assert await desk.journal.mailbox.to_remove(BOX) == []


async def test_a_first_poll_may_begin_with_what_is_there(desk: Desk) -> None:
    """Then nothing is seen yet, and all is read."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    assert await unread(desk, ["1", "2"]) == ["1", "2"]


@pytest.mark.parametrize("count", [1023, 1024, 1025, 5000])
async def test_long_lists_are_taken_whole(desk: Desk, count: int) -> None:
    """However they are cut into steps, none is left out and the order stays."""
    uids = [f"u{number}" for number in range(count)]
    await desk.journal.mailbox.begin_poll(BOX, seen(*uids[1:]))
    assert await unread(desk, ["new", *reversed(uids), "newer"]) == ["new", "u0", "newer"]
    assert set(await desk.journal.mailbox.recorded(BOX)) == set(uids[1:])
    await desk.journal.mailbox.note_gone(BOX, uids[2:], NOW)
    for _ in range(0, count, 1000):
        await desk.journal.mailbox.forget_gone(BOX, NOW + HOUR)
    assert await desk.journal.mailbox.recorded(BOX) == ["u1"]


async def test_a_mail_is_read_together_with_the_alert_that_it_makes(desk: Desk) -> None:
    """One transaction: neither is there without the other."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    batch = desk.make.batch()
    await desk.journal.accept(batch.alerts, batch.envelopes, feedback=Feedback(reads=(a_read("1"),)))
    assert await desk.journal.mailbox.recorded(BOX) == ["1"]
    assert await desk.due_ids() == [batch.envelopes[0].id]
