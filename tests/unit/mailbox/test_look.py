"""Each mail of the mailbox is read once, whatever happens, and none stops the others."""

from base64 import b64encode
from datetime import timedelta

import pytest

from app.domain.errors import JournalUnavailable
from app.domain.mail_read import MailboxName
from app.domain.receipt import Receipt
from app.mail.reading.message import Message
from app.mail.sorting.sorted_mail import SortedMail
from app.mailbox.handling import MAX_ATTEMPTS
from app.mailbox.listing import GONE_FOR
from app.mailbox.losses import TOLD_AT
from tests.support.mailbox_site import DELETE, KEEP, MOVE, NAME, MailboxSite

POLL_AGAIN = 4


def a_mail(subject: str) -> bytes:
    """Return a mail that is nothing but a mail."""
    return f"From: ups@example.org\r\nTo: alerts@example.org\r\nSubject: {subject}\r\n\r\nOn battery.\r\n".encode()


async def subjects(site: MailboxSite) -> list[str]:
    """Return what has become an alert."""
    page = await site.journal.page(before=None, limit=100, state=None, severity=None)
    return sorted(summary.subject for summary in page.alerts)


async def test_the_first_poll_acts_on_none(site: MailboxSite) -> None:
    """What was there before is old; what comes after it is new."""
    site.mailbox.put("old", a_mail("old"))
    await site.poll()
    site.mailbox.put("new", a_mail("new"))
    await site.poll()
    assert await subjects(site) == ["new"]
    assert site.mailbox.fetched == ["new"]


async def test_the_first_poll_may_be_told_to_begin_with_what_is_there(site: MailboxSite) -> None:
    """For a mailbox that was filled before the daemon came."""
    site.with_rules(from_beginning=True)
    await site.start()
    site.mailbox.put("old", a_mail("old"))
    await site.poll()
    assert await subjects(site) == ["old"]


async def test_nothing_is_read_twice(site: MailboxSite) -> None:
    """Neither at the next poll, nor after a restart."""
    await site.poll()
    for number in range(50):
        site.mailbox.put(f"u{number}", a_mail(f"mail {number:02}"))
    await site.poll()
    await site.poll()
    await site.start()
    await site.poll()
    assert await subjects(site) == [f"mail {number:02}" for number in range(50)]
    assert len(site.mailbox.fetched) == 50


async def test_another_epoch_is_another_first_poll(site: MailboxSite) -> None:
    """Its uids mean other mails; even a start from the beginning acts on none of them again."""
    site.with_rules(from_beginning=True)
    await site.start()
    site.mailbox.put("1", a_mail("before"))
    await site.poll()
    site.mailbox.epoch = "2"
    await site.poll()
    site.mailbox.put("2", a_mail("after"))
    await site.poll()
    assert await subjects(site) == ["after", "before"]


async def test_a_crash_before_the_record_reads_it_again(site: MailboxSite) -> None:
    """The attempt alone was on record; the mail is there once in the end."""
    await site.poll()
    site.mailbox.put("1", a_mail("once"))
    await site.journal.mailbox.begin_reading(MailboxName(NAME, "1"), ["1"])
    await site.start()
    await site.poll()
    assert await subjects(site) == ["once"]


async def test_a_mail_that_ends_the_daemon_is_set_aside(site: MailboxSite) -> None:
    """After three starts it is left alone and named, and the one behind it is read."""
    await site.poll()
    site.mailbox.put("bad", a_mail("bad"))
    site.mailbox.put("good", a_mail("good"))
    for _ in range(3):
        await site.journal.mailbox.begin_reading(MailboxName(NAME, "1"), ["bad"])
    for _ in range(2):
        await site.poll()
    assert await subjects(site) == ["good"]
    (alarm,) = site.alarms
    assert "bad" in alarm.text
    assert "has ended the daemon" in alarm.text
    assert (await site.journal.mailbox.unread(MailboxName(NAME, "1"), ["bad"])) == []


class _Choking:
    """A sorter with a fault of its own."""

    def __init__(self, site: MailboxSite) -> None:
        self._right = site.handling._sorter

    def sort(self, message: Message, data: bytes) -> SortedMail:
        """Fail on one mail."""
        if message.subject == "bad":
            raise ZeroDivisionError
        return self._right.sort(message, data)


async def test_a_mail_that_cannot_be_read_is_set_aside_and_the_others_are_read(site: MailboxSite) -> None:
    """A fault of ours never loops: three attempts, then an alarm."""
    await site.poll()
    site.handling._sorter = _Choking(site)  # type: ignore[assignment]  # stands in for one with a fault
    site.mailbox.put("1", a_mail("bad"))
    site.mailbox.put("2", a_mail("good"))
    for _ in range(POLL_AGAIN):
        await site.poll()
    assert await subjects(site) == ["good"]
    assert site.mailbox.fetched.count("1") == 3
    assert ["ZeroDivisionError" in alarm.text for alarm in site.alarms] == [True]
    assert site.poller.vitals().set_aside == 1


async def test_a_mail_at_which_the_server_dies_holds_up_nobody(site: MailboxSite) -> None:
    """Those behind it are read before it is asked for again, and in the end somebody is told."""
    await site.poll()
    for uid in ("1", "2", "3"):
        site.mailbox.put(uid, a_mail(f"mail {uid}"))
    site.mailbox.breaks_at = {"2"}
    await site.poll()
    await site.poll()
    assert await subjects(site) == ["mail 1", "mail 3"]
    for _ in range(TOLD_AT):
        site.clock.pass_time(timedelta(hours=6))
        await site.poll()
    assert ["does not give it out" in alarm.text for alarm in site.alarms] == [True]


async def test_a_mail_that_is_not_given_out_for_hours_is_read_once_it_is(site: MailboxSite) -> None:
    """The trouble was the server's; nothing is lost by it, and nothing hammers it meanwhile."""
    await site.poll()
    site.mailbox.put("1", a_mail("late"))
    site.mailbox.refuses = {"1"}
    for _ in range(100):
        await site.poll()
        site.clock.pass_time(timedelta(minutes=5))
    assert site.mailbox.fetched.count("1") < 10
    site.mailbox.refuses = set()
    site.clock.pass_time(timedelta(days=1))
    await site.poll()
    assert await subjects(site) == ["late"]


async def test_a_mail_that_is_missing_from_a_listing_is_not_read_again(site: MailboxSite) -> None:
    """A person takes back a deletion, or a server has lost its index for a while; also over a restart."""
    site.mailbox.put("old", a_mail("old"))
    await site.poll()
    site.mailbox.put("new", a_mail("new"))
    await site.poll()
    mails, site.mailbox.mails = site.mailbox.mails, {}
    await site.poll()
    site.mailbox.mails = mails
    await site.start()
    await site.poll()
    assert await subjects(site) == ["new"]
    assert site.mailbox.fetched == ["new"]


async def test_what_is_gone_for_long_is_forgotten(site: MailboxSite) -> None:
    """The record does not grow for ever; what came back counts as never gone."""
    await site.poll()
    for uid in ("1", "2"):
        site.mailbox.put(uid, a_mail(uid))
    await site.poll()
    back = site.mailbox.mails.pop("1")
    del site.mailbox.mails["2"]
    await site.poll()
    site.mailbox.put("1", back)
    for _ in range(2):
        await site.poll()
        site.clock.pass_time(GONE_FOR + timedelta(days=1))
    await site.start()
    await site.poll()
    del site.mailbox.mails["1"]
    await site.poll()
    assert await site.journal.mailbox.recorded(MailboxName(NAME, "1")) == ["1"]


async def test_a_journal_that_is_full_is_no_fault_of_the_mail(site: MailboxSite) -> None:
    """However often it was tried meanwhile, the mail is read once there is room."""
    await site.poll()
    site.mailbox.put("1", a_mail("patient"))
    take, site.ingest.take = site.ingest.take, _full  # type: ignore[method-assign]  # stands in for a full backlog
    for _ in range(2 * MAX_ATTEMPTS):
        await site.poll()
    site.ingest.take = take  # type: ignore[method-assign]  # as above
    await site.poll()
    assert await subjects(site) == ["patient"]
    assert site.alarms == []


async def _full(*_: object, **__: object) -> Receipt:
    raise JournalUnavailable("5 mails wait already")


async def test_a_mail_that_is_too_large_is_named_and_never_fetched(site: MailboxSite) -> None:
    """The limit of the settings holds before the mail is on its way."""
    await site.poll()
    site.mailbox.put("huge", a_mail("huge") + b"x" * site.rules.max_bytes)
    await site.poll()
    await site.poll()
    assert site.mailbox.fetched == []
    (alarm,) = site.alarms
    assert "mailbox.message_limit" in alarm.text


async def test_mail_stays_on_the_server_unless_told_otherwise(site: MailboxSite) -> None:
    """People may read the mailbox too."""
    await site.poll()
    site.mailbox.put("1", a_mail("kept"))
    await site.poll()
    assert list(site.mailbox.mails) == ["1"]


async def test_what_was_acted_upon_is_deleted(site: MailboxSite) -> None:
    """And tried again when the end of the session was lost: it is not read a second time meanwhile."""
    site.with_rules(after=DELETE)
    await site.start()
    await site.poll()
    site.mailbox.put("1", a_mail("gone"))
    site.mailbox.loses_quit = True
    await site.poll()
    assert list(site.mailbox.mails) == ["1"]
    site.mailbox.loses_quit = False
    await site.poll()
    assert site.mailbox.mails == {}
    assert await subjects(site) == ["gone"]


async def test_what_was_acted_upon_is_moved(site: MailboxSite) -> None:
    """Into the folder that the settings name."""
    site.with_rules(after=MOVE, move_to="Processed")
    await site.start()
    await site.poll()
    site.mailbox.put("1", a_mail("moved"))
    await site.poll()
    assert list(site.mailbox.folders) == ["Processed"]


async def test_what_was_to_be_moved_is_never_deleted(site: MailboxSite) -> None:
    """Whatever the settings say later."""
    site.with_rules(after=MOVE, move_to="Processed")
    await site.start()
    await site.poll()
    site.mailbox.put("1", a_mail("kept"))
    site.mailbox.refuses_changes = True
    await site.poll()
    site.mailbox.refuses_changes = False
    for after in (KEEP, DELETE):
        site.with_rules(after=after)
        await site.start()
        await site.poll()
    assert list(site.mailbox.mails) == ["1"]


async def test_mail_whose_file_found_no_room_is_not_deleted(site: MailboxSite) -> None:
    """The file is to be had there alone."""
    site.with_rules(after=DELETE, max_bytes=1 << 23)
    await site.start()
    await site.poll()
    file = b64encode(b"x" * (site.attachments_limit + 1))
    head = (
        b'Subject: big\r\nContent-Type: application/octet-stream; name="big.bin"\r\nContent-Transfer-Encoding: base64'
    )
    site.mailbox.put("1", head + b"\r\n\r\n" + file)
    await site.poll()
    assert await subjects(site) == ["big"]
    assert list(site.mailbox.mails) == ["1"]


async def test_mail_that_nobody_makes_anything_of_stays(site: MailboxSite) -> None:
    """A report on a stranger's mail says what nothing else says."""
    site.with_rules(after=DELETE)
    await site.start()
    await site.poll()
    head = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; "
    site.mailbox.put("1", f'{head}report-type=delivery-status; boundary="b"\r\n\r\n--b--\r\n'.encode())
    await site.poll()
    assert list(site.mailbox.mails) == ["1"]
    assert await subjects(site) == []


@pytest.mark.parametrize(
    ("more", "alerts"), [("Auto-Submitted: auto-generated\r\n", 0), ("", 10)], ids=["says-so", "hides-it"]
)
async def test_a_recipient_that_answers_with_new_mail_goes_round_no_circle(
    site: MailboxSite, more: str, alerts: int
) -> None:
    """A ticket system gets each alert, and sends a mail that names none of ours."""
    await site.poll()
    for number in range(30):
        mail = f"From: boss@example.org\r\nSubject: ticket {number}\r\n{more}\r\nOpened.\r\n"
        site.mailbox.put(str(number), mail.encode())
    await site.poll()
    assert len(await subjects(site)) == alerts


async def test_an_answer_that_nobody_understands_stays_for_people(site: MailboxSite) -> None:
    """Only what was acted upon may go."""
    site.with_rules(after=DELETE)
    await site.start()
    await site.poll()
    sent = await site.alert_mail()
    answer = site.rendered(sent).partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
    body = f"From: ops@example.org\r\nSubject: Re: disk\r\nIn-Reply-To: {answer}\r\n\r\nWho ordered this?\r\n"
    site.mailbox.put("1", body.encode())
    await site.poll()
    assert list(site.mailbox.mails) == ["1"]
    assert len(await subjects(site)) == 1


async def test_nothing_is_lost_while_the_journal_takes_nothing(site: MailboxSite) -> None:
    """The mail is read when it does again."""
    await site.poll()
    site.mailbox.put("1", a_mail("later"))
    site.ingest.close()
    assert await site.poll() >= timedelta(seconds=1)
    assert await subjects(site) == []
    await site.start()
    await site.poll()
    assert await subjects(site) == ["later"]


@pytest.mark.parametrize("count", [1, 20, 21, 45])
async def test_batches_of_any_size_are_read_whole(site: MailboxSite, count: int) -> None:
    """However the mails fall into those that are fetched together."""
    await site.poll()
    for number in range(count):
        site.mailbox.put(str(number), a_mail(f"{number:02}"))
    await site.poll()
    assert await subjects(site) == [f"{number:02}" for number in range(count)]
