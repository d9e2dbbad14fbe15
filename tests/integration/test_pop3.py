"""Reading a mailbox by POP3: what is listed, fetched and deleted, and every fault on the way, over real sockets."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.mailbox_session import FetchedMail, MailboxEntry, MailboxFault, Trouble
from tests.support.pop3_sessions import PATIENT, fetch_all, open_mailbox, opened
from tests.support.scripted_pop3 import CAPABILITIES, ScriptedPop3
from tests.support.smtp_actions import Action, Delay, Drop, Flood, Hang, Script, Split

MAILS = [b"Subject: %d\r\n\r\n.a line\r\n..\r\nthe end\r\n" % number for number in range(1, 201)]
UIDS = [f"uid-{number}" for number in range(1, 201)]
HASTY = replace(PATIENT, command_s=0.3, piece_s=0.3, quit_s=0.3, goodbye_s=0.3)
WITHOUT_PIPELINING = [word for word in CAPABILITIES if word != "PIPELINING"]
LARGE = b"Subject: large\r\n\r\n" + b"x" * 78 + b"\r\n" * 100_000


async def test_a_mailbox_is_listed() -> None:
    """Every mail is there with its lasting name and its size, the oldest first."""
    async with ScriptedPop3(MAILS[:3]) as server, opened(server) as session:
        assert await session.entries() == [MailboxEntry(f"uid-{n}", len(MAILS[n - 1])) for n in (1, 2, 3)]
        assert (session.epoch, session.can_wait) == ("", False)


@pytest.mark.parametrize(
    "offers", [CAPABILITIES, WITHOUT_PIPELINING, None], ids=["pipelining", "one by one", "no CAPA"]
)
async def test_mails_are_fetched(offers: Sequence[str] | None) -> None:
    """Mails come in the order in which they are asked for, byte for byte, whatever the server can do."""
    async with ScriptedPop3(MAILS, capabilities=offers) as server, opened(server) as session:
        fetched = await fetch_all(session, UIDS[::-1])
    assert fetched == [FetchedMail(uid, data) for uid, data in zip(UIDS[::-1], MAILS[::-1], strict=True)]


@pytest.mark.parametrize(("offers", "round_trips"), [(CAPABILITIES, 20), (None, 200)], ids=["pipelining", "without"])
async def test_retr_is_pipelined_where_the_server_allows_it(offers: Sequence[str] | None, round_trips: int) -> None:
    """With PIPELINING 200 mails take a few round trips; without it nothing is asked ahead."""
    async with ScriptedPop3(MAILS, capabilities=offers) as server, opened(server) as session:
        await session.entries()
        before = server.round_trips
        await fetch_all(session, UIDS)
        taken = server.round_trips - before
    assert (taken <= round_trips) if offers else (taken >= round_trips)


async def test_a_mail_is_the_same_in_one_byte_pieces() -> None:
    """A server that sends byte by byte gives the same mail, and the watcher is told of each piece."""
    came: list[int] = []
    wire = "+OK\r\nSubject: x\r\n\r\n..dot\r\n..\r\n."
    async with ScriptedPop3(MAILS[:1], RETR=Split(wire)) as server, opened(server) as session:
        fetched = [mail async for mail in session.fetch(["uid-1"], max_bytes=1000, progress=came.append)]
    assert fetched == [FetchedMail("uid-1", b"Subject: x\r\n\r\n.dot\r\n.\r\n")]
    assert came == sorted(came)
    assert came[-1] == len(fetched[0].data)


async def test_a_large_mail_comes_in_pieces() -> None:
    """A mail of many pieces is put together, and progress is told on the way."""
    came: list[int] = []
    async with ScriptedPop3([LARGE]) as server, opened(server) as session:
        fetched = [mail async for mail in session.fetch(["uid-1"], max_bytes=1 << 20, progress=came.append)]
    assert fetched[0].data == LARGE
    assert len(came) > 1


async def test_something_else_may_be_asked_between_mails() -> None:
    """Whoever deletes each mail as it comes gets all of them, though others were on their way."""
    async with ScriptedPop3(MAILS) as server:
        session = await open_mailbox(server)
        fetched = []
        async for mail in session.fetch(UIDS[:70], max_bytes=1000):
            fetched.append(mail)
            if len(fetched) % 30 == 1:
                await session.delete([mail.uid])
        await session.close()
    assert fetched == [FetchedMail(uid, data) for uid, data in zip(UIDS[:70], MAILS, strict=False)]
    assert [number for number in range(1, 201) if number not in server.mails] == [1, 31, 61]


async def test_a_fetch_that_is_left_does_no_harm() -> None:
    """Mails that were asked for and not waited for are not taken for the answers to what comes next."""
    async with ScriptedPop3(MAILS) as server, opened(server) as session:
        async for _ in session.fetch(UIDS, max_bytes=1000):
            break
        assert await session.head("uid-7") == b"Subject: 7\r\n\r\n"
        assert [mail.data for mail in await fetch_all(session, ["uid-9"])] == [MAILS[8]]


async def test_what_is_not_there() -> None:
    """A uid that has vanished is a fault of that mail, an empty header, and nothing to delete."""
    async with ScriptedPop3(MAILS[:2]) as server, opened(server) as session:
        fetched = await fetch_all(session, ["uid-0", "uid-2"])
        assert await session.head("uid-0") == b""
        await session.delete(["uid-0"])
    assert fetched[0].fault == "it is not in the mailbox any more"
    assert fetched[1] == FetchedMail("uid-2", MAILS[1])
    assert not server.said("DELE")


async def test_a_mail_over_the_cap_is_not_asked_for() -> None:
    """A mail that is listed as too large has a fault, the next one comes."""
    async with ScriptedPop3([LARGE, MAILS[0]]) as server, opened(server) as session:
        fetched = await fetch_all(session, UIDS[:2], max_bytes=1000)
    assert fetched[0].fault == f"it is of {len(LARGE)} bytes, and at most 1000 are read"
    assert fetched[1].data == MAILS[0]
    assert server.said("RETR") == ["RETR 2"]


async def test_a_server_that_lies_about_sizes() -> None:
    """A mail that turns out larger than the cap is read to its end and dropped, and the session goes on."""
    lie = b"+OK\r\n1 10\r\n2 10\r\n.\r\n"
    async with ScriptedPop3([LARGE, MAILS[0]], LIST=lie) as server, opened(server) as session:
        fetched = await fetch_all(session, UIDS[:2], max_bytes=1000)
    assert fetched[0] == FetchedMail("uid-1", fault="it is larger than the server says, and at most 1000 are read")
    assert fetched[1].data == MAILS[0]


async def test_a_refused_mail_is_alone_in_that() -> None:
    """-ERR to RETR is a fault of that mail, in the server's words."""
    retr = ["+OK\r\nfirst\r\n.", "-ERR damaged"]
    async with ScriptedPop3(MAILS[:3], RETR=retr) as server, opened(server) as session:
        fetched = await fetch_all(session, UIDS[:3])
    assert [bool(mail.fault) for mail in fetched] == [False, True, False]
    assert fetched[1].fault == 'the server does not give it and says "damaged"'


@pytest.mark.parametrize("code", ["SYS/TEMP", "IN-USE", "LOGIN-DELAY"])
async def test_a_mail_that_is_refused_for_now_is_a_fault_of_the_session(code: str) -> None:
    """The store has trouble, and every mail would be given up; what came before is kept, and the session goes on."""
    retr = ["+OK\r\nfirst\r\n.", f"-ERR [{code}] disk trouble"]
    async with ScriptedPop3(MAILS[:3], RETR=retr) as server, opened(server) as session:
        mails = session.fetch(UIDS[:3], max_bytes=1000)
        assert await anext(mails) == FetchedMail("uid-1", b"first\r\n")
        with pytest.raises(MailboxFault, match=r'a mail cannot be read now: .* "disk trouble"') as caught:
            await anext(mails)
        assert (await fetch_all(session, ["uid-2"]))[0].data == MAILS[1]
    assert caught.value.trouble is Trouble.BUSY


async def test_mails_that_are_all_refused_alike_are_a_fault_of_the_session() -> None:
    """Not all of them are damaged."""
    async with ScriptedPop3(MAILS[:3], RETR="-ERR no") as server, opened(server) as session:
        with pytest.raises(MailboxFault, match="none of 3 mails can be read") as caught:
            await fetch_all(session, UIDS[:3])
    assert caught.value.trouble is Trouble.BUSY


@pytest.mark.parametrize(
    ("offers", "script", "by"),
    [(CAPABILITIES, {}, "TOP"), (["UIDL", "USER"], {}, "RETR"), (None, {"TOP": "-ERR what?"}, "RETR")],
    ids=["TOP", "not announced", "refused"],
)
async def test_a_header_is_read(offers: Sequence[str] | None, script: dict[str, Script], by: str) -> None:
    """A header comes by TOP, and by RETR from a server without it."""
    async with ScriptedPop3(MAILS[:1], capabilities=offers, script=script) as server, opened(server) as session:
        assert await session.head("uid-1") == b"Subject: 1\r\n\r\n"
    assert server.commands[-1].startswith(by)


async def test_there_are_no_folders() -> None:
    """POP3 cannot move a mail, and says what to do instead."""
    async with ScriptedPop3(MAILS[:1]) as server, opened(server) as session:
        with pytest.raises(MailboxFault, match="no folders") as caught:
            await session.move(["uid-1"], "Done")
        assert await session.entries()
    assert caught.value.trouble is Trouble.CONFIGURATION


async def test_waiting_sees_nothing_new_and_keeps_the_session() -> None:
    """Waiting ends after its time without news; the server was asked whether it is still there."""
    async with ScriptedPop3(MAILS[:1]) as server, opened(server) as session:
        assert await session.wait(timedelta(milliseconds=20)) is False
        assert await session.entries()
    assert server.said("NOOP") == ["NOOP"]


@pytest.mark.parametrize(
    ("last_words", "words", "trouble"),
    [
        (b"", "the peer closed the connection", Trouble.UNREACHABLE),
        (b"-ERR idle for too long\r\n", 'ended the session and says "idle for too long"', Trouble.UNREACHABLE),
        (b"+OK and more\r\n", "spoke out of turn", Trouble.PROTOCOL),
    ],
    ids=["hung up", "said so", "babbled"],
)
async def test_a_session_that_the_server_ended_meanwhile(last_words: bytes, words: str, trouble: Trouble) -> None:
    """A server that ends an idle session is noticed at the next question, and what it says is told."""
    async with ScriptedPop3(MAILS[:1], NOOP=Drop(b"+OK\r\n" + last_words)) as server, opened(server) as session:
        await session.wait(timedelta(milliseconds=1))
        await asyncio.sleep(0.05)
        with pytest.raises(MailboxFault, match=words) as caught:
            await session.entries()
    assert caught.value.trouble is trouble


async def test_an_empty_mailbox_is_not_listed() -> None:
    """Without mails nobody asks for their names: some servers refuse that."""
    async with ScriptedPop3(UIDL="-ERR none", LIST="-ERR none") as server, opened(server) as session:
        assert await session.entries() == []


FAULTS: dict[str, tuple[dict[str, Script], str, Trouble]] = {
    "no UIDL": ({"UIDL": "-ERR what?"}, "without UIDL nobody can tell new mail from old", Trouble.PROTOCOL),
    "no LIST": ({"LIST": "-ERR [SYS/TEMP] later"}, 'does not list the mails and says "later"', Trouble.BUSY),
    "no STAT": ({"STAT": "-ERR [SYS/PERM] gone"}, 'does not open the mailbox and says "gone"', Trouble.CONFIGURATION),
    "STAT of words": ({"STAT": "+OK many"}, "does not say how many", Trouble.PROTOCOL),
    "too many mails": ({"STAT": "+OK 500001 1"}, "there are 500001 mails in it", Trouble.CONFIGURATION),
    "listing without end": (
        {"LIST": Flood(b"+OK\r\n" + b"1 1\r\n" * 100_000)},
        "more than 40000000 bytes",
        Trouble.PROTOCOL,
    ),
    "listing of too many": ({"LIST": b"+OK\r\n" + b"1 1\r\n" * 500_001 + b".\r\n"}, "than 500000", Trouble.PROTOCOL),
    "listing of words": ({"LIST": b"+OK\r\none two\r\n.\r\n"}, "a line in LIST that names no mail", Trouble.PROTOCOL),
    "mail without name": ({"UIDL": b"+OK\r\n.\r\n"}, "gives no UIDL of mail 1", Trouble.PROTOCOL),
    "no answer at all": ({"LIST": b"hello\r\n"}, "sent no POP3 answer: 'hello'", Trouble.PROTOCOL),
    "line without end": ({"UIDL": Flood(b"x" * 1000)}, "a line of more than 8192 bytes", Trouble.PROTOCOL),
    "more names than mails": ({"LIST": b"+OK\r\n.\r\n"}, "lists 0 mails, and 1 names", Trouble.PROTOCOL),
    "silence": ({"LIST": Hang()}, "did not answer within 0.3 s", Trouble.UNREACHABLE),
    "silence in a listing": ({"LIST": Delay(0, b"+OK\r\n1 1")}, "did not answer within 0.3 s", Trouble.UNREACHABLE),
    "hung up": ({"LIST": Drop(b"+OK\r\n1 ")}, "the peer closed the connection", Trouble.UNREACHABLE),
}


@pytest.mark.parametrize(("script", "words", "trouble"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_mailbox_that_cannot_be_listed(script: dict[str, Script], words: str, trouble: Trouble) -> None:
    """Whatever goes wrong is a fault of the right kind that names the mailbox."""
    async with ScriptedPop3(MAILS[:1], script=script) as server, opened(server, timeouts=HASTY) as session:
        with pytest.raises(MailboxFault, match=words) as caught:
            await session.entries()
    assert caught.value.trouble is trouble
    assert 'mailbox "pop3:tim@127.0.0.1"' in str(caught.value)


@pytest.mark.parametrize(
    "second",
    [Drop(b"+OK\r\nSubject: 2"), b"+OK\r\nSubject: 2\r\n", Flood(b"+OK\r\n" * 10_000)],
    ids=["gone", "silent", "without end"],
)
async def test_a_server_that_fails_in_the_middle_of_a_mail(second: Action) -> None:
    """What came whole is kept, the mail that did not is a fault of the session, and no later call hangs."""
    quick = replace(HASTY, mail_s=0.5)
    retr = ["+OK\r\nSubject: 1\r\n.", second]
    async with ScriptedPop3(MAILS[:3], RETR=retr) as server, opened(server, timeouts=quick) as session:
        mails = session.fetch(UIDS[:2], max_bytes=1000)
        first = await anext(mails)
        with pytest.raises(MailboxFault) as caught:
            await anext(mails)
        with pytest.raises(MailboxFault):
            await session.entries()
    assert first == FetchedMail("uid-1", b"Subject: 1\r\n")
    assert caught.value.trouble is Trouble.UNREACHABLE


async def test_a_cancelled_question_leaves_the_session_in_step() -> None:
    """Whoever is cancelled while he waits does not leave his answer to the next one."""
    async with ScriptedPop3(MAILS[:2], TOP=[Delay(0.2, b"+OK\r\nlate\r\n.\r\n")]) as server, opened(server) as session:
        await session.entries()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.head("uid-1")
        assert await session.head("uid-2") == b"Subject: 2\r\n\r\n"
