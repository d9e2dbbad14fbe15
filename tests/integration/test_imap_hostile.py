"""An IMAP server that lies, floods, refuses or hangs once a session is open."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.mailbox_session import FetchedMail, MailboxEntry, MailboxFault, Trouble
from app.mailbox.imap_link import PIECE
from tests.support.imap_sessions import HASTY, fetch_all, open_at, opened, uids_of
from tests.support.scripted_imap import CAPABILITIES, ScriptedImap
from tests.support.smtp_actions import Action, Drop, Flood, Hang, Script

MAILS = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(3)]
LARGE = b"Subject: large\r\n\r\n" + b"x" * (2 * PIECE)


@pytest.mark.parametrize(
    ("fetch", "trouble"),
    [
        (Drop(b"* 1 FETCH (UID 1 BODY[]<0> {500}\r\nhalf"), Trouble.UNREACHABLE),
        (Hang(), Trouble.UNREACHABLE),
        (b"* 1 FETCH (UID 1 BODY[]<0> {99999999}\r\n", Trouble.PROTOCOL),
        (Flood(b"* 1 FETCH (UID 1 BODY[]<0> {60000}\r\n" + b"x" * 60000 + b")\r\n"), Trouble.PROTOCOL),
        (Flood(b"x" * 65536), Trouble.PROTOCOL),
        (b"* 1 FETCH (UID 1 BODY[]<0>\r\nTAG OK done\r\n", Trouble.PROTOCOL),
        (b"* 1 FETCH (" + b"(" * 5000 + b"\r\nTAG OK done\r\n", Trouble.PROTOCOL),
        (b"* 1 FETCH (UID x BODY[]<0> NIL)\r\nTAG OK done\r\n", Trouble.PROTOCOL),
        (b"* 1 FETCH (UID 1 BODY[]<0> 5)\r\nTAG OK done\r\n", Trouble.PROTOCOL),
        (b"* BYE going down\r\n", Trouble.UNREACHABLE),
    ],
    ids=["cut", "hangs", "huge literal", "flood", "endless line", "unfinished", "nested", "no uid", "number", "bye"],
)
async def test_a_server_that_fails_in_the_middle_of_a_mail(fetch: Action, trouble: Trouble) -> None:
    """Is a fault, soon; the session is lost, and says so to whatever is asked next."""

    def on_fetch(line: str) -> Action | None:
        return fetch if "BODY" in line else None

    async with ScriptedImap(MAILS, FETCH=on_fetch) as server, opened(server, timeouts=HASTY) as session:
        with pytest.raises(MailboxFault) as caught:
            await asyncio.wait_for(fetch_all(session, ["1"]), 10)
        with pytest.raises(MailboxFault):
            await session.entries()
    assert caught.value.trouble is trouble


async def test_a_refused_mail_is_alone_in_that() -> None:
    """The others come, though the server refused them all together."""

    def refuse_the_second(line: str) -> Action | None:
        return "NO damaged" if "BODY" in line and "2" in line.split(" ")[2].split(",") else None

    async with ScriptedImap(MAILS, FETCH=refuse_the_second) as server, opened(server) as session:
        mails = await fetch_all(session, await uids_of(session))
    assert [mail.data for mail in mails] == [MAILS[0], b"", MAILS[2]]
    assert mails[1].fault == 'the server does not give it and says "damaged"'


@pytest.mark.parametrize("code", ["UNAVAILABLE", "SERVERBUG", "INUSE", "LIMIT"])
async def test_a_mail_that_is_refused_for_now_is_a_fault_of_the_session(code: str) -> None:
    """The store has trouble, and every mail would be given up; what came before is kept, and the session goes on."""
    refusals = [f"NO [{code}] later", None, f"NO [{code}] later"]  # all together, the first, the second

    def refuse(line: str) -> Action | None:
        return refusals.pop(0) if "BODY" in line and refusals else None

    async with ScriptedImap(MAILS, FETCH=refuse) as server, opened(server) as session:
        mails = session.fetch(["1", "2", "3"], max_bytes=1000)
        assert await anext(mails) == FetchedMail("1", MAILS[0])
        with pytest.raises(MailboxFault, match=r'a mail cannot be read now: .* "later"') as caught:
            await anext(mails)
        assert (await fetch_all(session, ["2"]))[0].data == MAILS[1]
    assert caught.value.trouble is Trouble.BUSY


async def test_mails_that_are_all_refused_alike_are_a_fault_of_the_session() -> None:
    """Not all of them are damaged."""

    def refuse(line: str) -> Action | None:
        return "NO no" if "BODY" in line else None

    async with ScriptedImap(MAILS, FETCH=refuse) as server, opened(server) as session:
        with pytest.raises(MailboxFault, match="none of 3 mails can be read") as caught:
            await fetch_all(session, await uids_of(session))
    assert caught.value.trouble is Trouble.BUSY


async def test_a_mail_that_is_larger_than_was_said_has_a_fault() -> None:
    """Once there is too much of it, and no more of it is asked for."""

    def lie(line: str) -> Action | None:
        return b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\nTAG OK done\r\n" if "RFC822.SIZE" in line else None

    async with ScriptedImap([LARGE], FETCH=lie) as server, opened(server) as session:
        (small,) = await fetch_all(session, ["1"], max_bytes=PIECE + 1)
        (whole,) = await fetch_all(session, ["1"], max_bytes=len(LARGE))
    assert small == FetchedMail("1", fault=f"it is larger than the server says, and at most {PIECE + 1} are read")
    assert whole.data == LARGE


async def test_a_mail_that_goes_between_its_pieces_has_a_fault() -> None:
    """As when another program deletes it just then."""

    def lose(line: str) -> Action | None:
        return "OK done" if f"<{PIECE}." in line else None

    async with ScriptedImap([LARGE], FETCH=lose) as server, opened(server) as session:
        (mail,) = await fetch_all(session, ["1"])
    assert mail.fault == "it is not in the mailbox any more"


async def test_what_a_server_tells_beside_its_answers_is_no_mail() -> None:
    """Changed flags come amid any answer, and name no uid."""
    told = b"* 3 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 11 RFC822.SIZE 5)\r\n* 9 EXPUNGE\r\nTAG OK done\r\n"
    async with ScriptedImap(MAILS, FETCH=told) as server, opened(server) as session:
        assert await session.entries() == [MailboxEntry("11", 5)]


async def test_a_folder_that_is_made_anew_meanwhile_is_a_fault() -> None:
    """Its uids mean other mails now, so the session must not go on."""
    anew = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 8]\r\nTAG OK done\r\n"
    selects: list[Action | None] = [b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nTAG OK done\r\n", anew]
    async with ScriptedImap(MAILS, SELECT=selects) as server, opened(server) as session:  # type: ignore[arg-type]
        with pytest.raises(MailboxFault) as caught:
            await session.entries()
        assert session.epoch == "7"
    assert caught.value.trouble is Trouble.BUSY


async def test_a_folder_that_may_only_be_read_is_read() -> None:
    """A shared one, say."""
    answer = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nTAG OK [READ-ONLY]\r\n"
    async with ScriptedImap(MAILS, SELECT=answer, EXAMINE=answer) as server, opened(server) as session:
        assert [mail.data for mail in await fetch_all(session, await uids_of(session))] == MAILS


async def test_idle_is_begun_again_while_the_server_only_chats() -> None:
    """Many say now and then that they are still there."""
    chat = [b"+ idling\r\n* OK Still here\r\nTAG OK done\r\n", b"* 4 EXISTS\r\n+ idling\r\nTAG OK done\r\n"]
    async with ScriptedImap(MAILS, IDLE=chat) as server, opened(server) as session:
        assert await asyncio.wait_for(session.wait(timedelta(minutes=1)), 10)
    assert len(server.said("IDLE")) == 2


@pytest.mark.parametrize(
    "said", [b"* OK Still here\r\n", b"* 3 EXISTS\r\n", b"* 3 RECENT\r\n"], ids=["chat", "known count", "recent"]
)
async def test_a_server_that_says_something_at_each_idle_sets_no_pace(said: bytes) -> None:
    """What it says is no news, and IDLE is begun once a second at most."""
    async with (
        ScriptedImap(MAILS, IDLE=b"+ idling\r\n" + said + b"TAG OK done\r\n") as server,
        opened(server) as session,
    ):
        await session.entries()
        assert not await session.wait(timedelta(seconds=1.5))
    assert len(server.said("IDLE")) <= 3


async def test_a_mail_in_the_place_of_one_that_went_is_news() -> None:
    """Though there are as many as before."""
    idle = b"* 1 EXPUNGE\r\n* 3 EXISTS\r\n+ idling\r\nTAG OK done\r\n"
    async with ScriptedImap(MAILS, IDLE=idle) as server, opened(server) as session:
        await session.entries()
        assert await asyncio.wait_for(session.wait(timedelta(minutes=1)), 10)


@pytest.mark.parametrize("idle", ["NO not now", "BAD what?"])
async def test_idle_that_is_refused_is_a_fault(idle: Script) -> None:
    """Rather than a loop without a pause."""
    async with ScriptedImap(MAILS, IDLE=idle) as server, opened(server) as session:
        with pytest.raises(MailboxFault):
            await asyncio.wait_for(session.wait(timedelta(minutes=1)), 10)


async def test_without_idle_the_server_is_asked() -> None:
    """By NOOP, in whose answer it tells of new mail."""
    offers = [name for name in CAPABILITIES if name != "IDLE"]
    noop = b"* 4 EXISTS\r\nTAG OK done\r\n"
    async with ScriptedImap(MAILS, capabilities=offers, NOOP=noop) as server, opened(server) as session:
        assert not session.can_wait
        assert await asyncio.wait_for(session.wait(timedelta(milliseconds=50)), 10)


@pytest.mark.parametrize("logout", [Hang(), Drop(), "BAD what?"])
async def test_a_server_without_manners_is_left_all_the_same(logout: Script) -> None:
    """Nothing depends on the last words: what was deleted is gone."""
    async with ScriptedImap(MAILS, LOGOUT=logout) as server:
        session = await open_at(server, timeouts=HASTY)
        await asyncio.wait_for(session.close(), 10)
    assert server.said("LOGOUT")


async def test_a_cancelled_opening_leaves_nothing_behind() -> None:
    """Neither a socket, which would warn of itself, nor a thread that waits."""
    async with ScriptedImap(SELECT=Hang()) as server:
        opening = asyncio.create_task(open_at(server))
        while not server.said("SELECT"):
            await asyncio.sleep(0.01)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(opening, 10)


async def test_a_list_that_is_longer_than_asked_for_is_a_fault() -> None:
    """Every part of it has a bound, or a mailbox of a thousand mails would fill the memory."""

    def too_many(line: str) -> Action | None:
        if "RFC822.SIZE" not in line:
            return None
        return b"".join(b"* %d FETCH (UID %d RFC822.SIZE 1)\r\n" % (n, n) for n in range(1, 3000)) + b"TAG OK done\r\n"

    async with ScriptedImap(MAILS, FETCH=too_many) as server, opened(server) as session:
        with pytest.raises(MailboxFault, match="more mails than it was asked for"):
            await session.entries()
