"""What IMAP has beyond POP3, with a real Dovecot: folders, new mail at once, uids that end, sparing deletions."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from imapclient import IMAPClient

from app.domain.login import Login
from app.domain.mailbox_session import MailboxFault, Trouble
from tests.support.certificates import Authority
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.imap_sessions import HANG, fault_of_opening, fetch_all, opened, uids_of

pytestmark = pytest.mark.xdist_group("imap")

LOGIN = Login("ops", "pä55 word")
MAILS = [b"Subject: mail %d\r\n\r\nbody\r\n" % number for number in range(3)]
LONG = timedelta(minutes=1)
BARE = {"imap_capability": "IMAP4rev1 IDLE LITERAL+"}  # neither MOVE nor UIDPLUS


@pytest.fixture(scope="module", params=[{}, BARE], ids=["all extensions", "few extensions"])
def running(request: pytest.FixtureRequest, authority: Authority) -> Iterator[DovecotMailbox]:
    """A server for these tests, which says what it can, or only some of it."""
    certificate, key = authority.certificate_files()
    with DovecotMailbox({LOGIN.username: LOGIN.secret}, certificate=certificate, key=key, settings=request.param) as it:
        yield it


@pytest.fixture
def dovecot(running: DovecotMailbox) -> DovecotMailbox:
    """The server with three mails."""
    running.clear(LOGIN.username)
    running.put(LOGIN.username, *MAILS)
    return running


async def test_reading_marks_no_mail_as_read(dovecot: DovecotMailbox) -> None:
    """A person who looks into the mailbox still sees what is new."""
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
        await session.head(uids[0])
        assert [mail.data for mail in await fetch_all(session, uids)] == MAILS
    assert dovecot.flags("ops") == ["", "", ""]


async def test_a_mail_that_comes_wakes_at_once(dovecot: DovecotMailbox) -> None:
    """And it is in the list then."""
    async with opened(dovecot, login=LOGIN) as session:
        await session.entries()
        waiting = asyncio.create_task(session.wait(LONG))
        await asyncio.sleep(0.2)
        dovecot.put("ops", b"Subject: new\r\n\r\n")
        assert await asyncio.wait_for(waiting, HANG)
        assert len(await session.entries()) == len(MAILS) + 1


async def test_a_mail_that_came_before_the_waiting_is_not_missed(dovecot: DovecotMailbox) -> None:
    """Between the list and the wait there is a gap."""
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
        dovecot.put("ops", b"Subject: new\r\n\r\n")
        await fetch_all(session, uids)  # in whose answer the server tells of it
        assert await asyncio.wait_for(session.wait(LONG), HANG)


async def test_nothing_new_ends_the_waiting(dovecot: DovecotMailbox) -> None:
    """The session is as it was."""
    async with opened(dovecot, login=LOGIN) as session:
        await session.entries()
        assert not await session.wait(timedelta(milliseconds=200))
        assert len(await session.entries()) == len(MAILS)


async def test_waiting_can_be_cancelled(dovecot: DovecotMailbox) -> None:
    """At once; the session goes on."""
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
        for pause_s in (0, 0.001, 0.2):
            waiting = asyncio.create_task(session.wait(LONG))
            await asyncio.sleep(pause_s)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(waiting, HANG)
        assert [mail.data for mail in await fetch_all(session, uids)] == MAILS


async def test_an_abort_ends_the_waiting(dovecot: DovecotMailbox) -> None:
    """Whoever waits has a fault."""
    async with opened(dovecot, login=LOGIN) as session:
        waiting = asyncio.create_task(session.wait(LONG))
        await asyncio.sleep(0.2)
        session.abort()
        with pytest.raises(MailboxFault):
            await asyncio.wait_for(waiting, HANG)


async def test_a_server_that_dies_ends_the_waiting(dovecot: DovecotMailbox) -> None:
    """With a fault that waiting may mend."""
    async with opened(dovecot, login=LOGIN) as session:
        waiting = asyncio.create_task(session.wait(LONG))
        await asyncio.sleep(0.2)
        dovecot.kill()
        with pytest.raises(MailboxFault) as caught:
            await asyncio.wait_for(waiting, HANG)
    dovecot.start()
    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_uids_that_mean_other_mails_have_another_epoch(dovecot: DovecotMailbox) -> None:
    """As after a restore of the server."""
    async with opened(dovecot, login=LOGIN) as session:
        before = session.epoch
        await session.close()
    dovecot.reset_uidvalidity("ops")
    async with opened(dovecot, login=LOGIN) as session:
        assert session.epoch not in {before, ""}


async def test_a_mail_is_moved_into_a_folder_that_is_made(dovecot: DovecotMailbox) -> None:
    """Under any name; the next one goes there too."""
    async with opened(dovecot, login=LOGIN) as session:
        first, second, _ = await uids_of(session)
        await session.move([first], "Erledigt/Grün")
        await session.move([second], "Erledigt/Grün")
    assert dovecot.mails("ops", "Erledigt/Grün") == MAILS[:2]
    assert dovecot.mails("ops") == MAILS[2:]


async def test_a_folder_that_cannot_be_made(dovecot: DovecotMailbox) -> None:
    """Is a matter for a person; the mail stays and the session goes on."""
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
        with pytest.raises(MailboxFault) as caught:
            await session.move(uids[:1], "a//b")
        assert caught.value.trouble is Trouble.CONFIGURATION
        assert await uids_of(session) == uids


async def test_another_folder_is_read(dovecot: DovecotMailbox) -> None:
    """The one that the settings name."""
    dovecot.put("ops", b"Subject: elsewhere\r\n\r\n", folder="Störungen")
    async with opened(dovecot, login=LOGIN, folder="Störungen") as session:
        mails = await fetch_all(session, await uids_of(session))
    assert [mail.data for mail in mails] == [b"Subject: elsewhere\r\n\r\n"]


async def test_a_folder_that_is_not_there(dovecot: DovecotMailbox) -> None:
    """Is a matter for a person, and the fault names it."""
    fault = await fault_of_opening(dovecot, login=LOGIN, folder="Nowhere")
    assert fault.trouble is Trouble.CONFIGURATION
    assert 'is there a folder "Nowhere"?' in str(fault)


async def test_deleting_is_done_at_once(dovecot: DovecotMailbox) -> None:
    """Before the session ends, so that a crash brings nothing back."""
    async with opened(dovecot, login=LOGIN) as session:
        await session.delete((await uids_of(session))[:2])
        assert dovecot.mails("ops") == MAILS[2:]


async def test_marks_of_others_are_spared(dovecot: DovecotMailbox) -> None:
    """What another program has marked as deleted and may still want back is not deleted along with ours."""
    async with opened(dovecot, login=LOGIN) as session:
        first, second, third = await uids_of(session)
        with IMAPClient("127.0.0.1", dovecot.ports["imap"], ssl=False) as other:
            other.plain_login(LOGIN.username, LOGIN.secret)
            other.select_folder("INBOX")
            other.delete_messages([int(first)])
        await session.delete([second])
        assert await uids_of(session) == [third]
    assert MAILS[0] in dovecot.mails("ops")


async def test_a_listing_takes_many_mails_in_ranges(dovecot: DovecotMailbox) -> None:
    """More than one range has, each mail once."""
    dovecot.put_many("ops", (b"Subject: %d\r\n\r\n" % number for number in range(1100)))
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
    assert uids == [str(uid) for uid in range(1, len(MAILS) + 1101)]


async def test_a_cancelled_fetch_leaves_the_session_in_step(dovecot: DovecotMailbox) -> None:
    """What comes of it later is not taken for the answer to something else."""
    async with opened(dovecot, login=LOGIN) as session:
        uids = await uids_of(session)
        for _ in range(3):
            fetching = asyncio.create_task(fetch_all(session, uids))
            await asyncio.sleep(0.001)
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
            assert await session.head(uids[1]) == b"Subject: mail 1\r\n\r\n"
