"""Deleting by POP3: what was marked goes with QUIT, if the server confirms it, and with nothing else."""

from dataclasses import replace

import pytest

from app.domain.mailbox_session import MailboxEntry, MailboxFault, Trouble
from tests.support.pop3_sessions import PATIENT, open_mailbox, opened
from tests.support.scripted_pop3 import ScriptedPop3
from tests.support.smtp_actions import Drop, Hang, Script

MAILS = [b"Subject: %d\r\n\r\nhi\r\n" % number for number in (1, 2, 3)]
HASTY = replace(PATIENT, quit_s=0.3, goodbye_s=0.3)


async def test_deleted_mails_go_at_the_end() -> None:
    """What was deleted is not listed any more, and goes when the session ends in order."""
    async with ScriptedPop3(MAILS[:3]) as server:
        session = await open_mailbox(server)
        await session.delete(["uid-1", "uid-3", "uid-1"])
        listed = await session.entries()
        assert len(server.mails) == 3
        await session.close()
    assert listed == [MailboxEntry("uid-2", len(MAILS[1]))]
    assert list(server.mails) == [2]


async def test_a_session_that_is_cut_deletes_nothing() -> None:
    """After abort() everything is still there, and the session is of no use any more."""
    async with ScriptedPop3(MAILS[:3]) as server:
        async with opened(server) as session:
            await session.delete(["uid-1"])
        with pytest.raises(MailboxFault, match="the session was cut"):
            await session.entries()
        with pytest.raises(MailboxFault, match="1 deleted mails may still be there"):
            await session.close()
    assert len(server.mails) == 3


async def test_copies_with_one_uid() -> None:
    """Two copies of a mail under one uid (RFC 1939 section 7) are one mail, and are deleted together."""
    async with ScriptedPop3([MAILS[0], MAILS[0], MAILS[1]]) as server:
        server.uids = {1: "same", 2: "same"}
        session = await open_mailbox(server)
        assert [entry.uid for entry in await session.entries()] == ["same", "uid-3"]
        await session.delete(["same"])
        await session.close()
    assert list(server.mails) == [3]


@pytest.mark.parametrize(
    ("quit_script", "trouble"),
    [
        ("-ERR [SYS/PERM] some were not removed", Trouble.CONFIGURATION),
        ("-ERR no", Trouble.BUSY),
        (Drop(), Trouble.UNREACHABLE),
        (Hang(), Trouble.UNREACHABLE),
    ],
    ids=["SYS/PERM", "no code", "hung up", "silent"],
)
async def test_only_ok_to_quit_deletes(quit_script: Script, trouble: Trouble) -> None:
    """A QUIT that is not confirmed is a fault after deletions, and none without."""
    async with ScriptedPop3(MAILS[:2], QUIT=quit_script) as server:
        await (await open_mailbox(server, timeouts=HASTY)).close()
        session = await open_mailbox(server, timeouts=HASTY)
        await session.delete(["uid-1"])
        with pytest.raises(MailboxFault, match="delete") as caught:
            await session.close()
    assert caught.value.trouble is trouble


async def test_a_server_that_refuses_to_delete() -> None:
    """-ERR to DELE is a fault, the session goes on, and the others are deleted."""
    async with ScriptedPop3(MAILS[:2], DELE=["-ERR read only"]) as server:
        session = await open_mailbox(server)
        with pytest.raises(MailboxFault, match='does not delete a mail and says "read only"'):
            await session.delete(["uid-1", "uid-2"])
        assert [entry.uid for entry in await session.entries()] == ["uid-1"]
        await session.close()
    assert list(server.mails) == [1]
