"""Mails are named by what somebody saw in the list, and never by what may be another one."""

from collections.abc import AsyncIterator, Sequence

import pytest

from app.cli.mailbox_mails import MailUnavailable, heads_of, mails_of, messages_of, named, source_of
from app.domain.mailbox_session import FetchedMail, Progress
from tests.support.fake_mailbox import FakeMailbox, FakeSession
from tests.support.terminal import Terminal

IMAP_UIDS = ("7", "9")


def mailbox(*uids: str) -> FakeMailbox:
    """Return one with a mail for each uid."""
    return FakeMailbox({uid: f"Subject: {uid}\r\n\r\ntext of {uid}\r\n".encode() for uid in uids})


@pytest.mark.parametrize(
    ("uids", "names"),
    [(("a", "b"), ["1", "2"]), (IMAP_UIDS, ["7", "9"]), (("a", "2"), ["a", "2"])],
    ids=["pop3", "imap", "a number among them"],
)
async def test_a_place_is_a_name_only_where_it_cannot_be_a_uid(uids: tuple[str, ...], names: list[str]) -> None:
    """Else somebody who means the mail 2 would delete the second one."""
    assert [mail.name for mail in await mails_of(await mailbox(*uids).connect())] == names


@pytest.mark.parametrize("names", [["2", "1"], ["b", "a"], ["2", "a", "b"]], ids=["places", "uids", "both"])
async def test_mails_are_found_by_place_and_by_uid(names: list[str]) -> None:
    """In the order in which they are named, each once."""
    mails = await mails_of(await mailbox("a", "b").connect())
    assert [mail.entry.uid for mail in named(mails, names)] == ["b", "a"]


@pytest.mark.parametrize(
    ("uids", "name", "by_uid"),
    [(IMAP_UIDS, "1", False), (("a", "b"), "3", False), (("a", "b"), "0", False), (("a", "b"), "1", True)],
    ids=["place by imap", "beyond", "zero", "by uid alone"],
)
async def test_a_name_that_is_none_is_told(uids: tuple[str, ...], name: str, by_uid: bool) -> None:
    """With where to find one."""
    mails = await mails_of(await mailbox(*uids).connect())
    with pytest.raises(MailUnavailable, match=f"uid {name}; see mailalert mailbox list"):
        named(mails, [name], by_uid=by_uid)


async def test_a_mail_that_goes_meanwhile_has_no_head() -> None:
    """The others are listed."""
    box = mailbox("a", "b")
    session = await box.connect()
    mails = await mails_of(session)
    del box.mails["a"]
    assert [head.head.subject for head in await heads_of(session, mails)] == ["b"]


async def test_a_mail_that_the_server_refuses_is_told() -> None:
    """By the name that was typed, and why."""
    box = mailbox("a", "b")
    box.refuses = {"b"}
    session = await box.connect()
    with pytest.raises(MailUnavailable, match="mail 2 cannot be read: it is refused"):
        await source_of(session, (await mails_of(session))[1])


async def test_a_mail_that_cannot_be_read_holds_up_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named on stderr."""
    box = mailbox("a", "b")
    box.refuses = {"a"}
    session = await box.connect()
    read = [message.text async for _, message in messages_of(session, await mails_of(session))]
    assert read == ["text of b\n"]
    assert "mail 1 cannot be read: it is refused" in capsys.readouterr().err


class SlowSession(FakeSession):
    """Half of a mail comes before the rest."""

    async def fetch(
        self, uids: Sequence[str], *, max_bytes: int, progress: Progress | None = None
    ) -> AsyncIterator[FetchedMail]:
        (entry,) = await self.entries()
        assert progress is not None
        progress(entry.size_bytes // 2)
        async for fetched in super().fetch(uids, max_bytes=max_bytes):
            yield fetched


async def test_a_mail_that_takes_long_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """By how much of it has come, for people who wait at a terminal."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("app.cli.progress.QUICK_S", 0)
    session = SlowSession(FakeMailbox({"a": bytes(3 << 20)}))
    await source_of(session, (await mails_of(session))[0])
    assert " 50%  1.5 MiB of 3.0 MiB" in terminal.getvalue()
