"""A session with a mailbox by POP3."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from app.domain.mailbox_session import FetchedMail, MailboxEntry, MailboxFault, Progress, Trouble
from app.mailbox.faults import GONE, faults_of, mailbox_fault, too_large
from app.mailbox.pop3_exchange import Pop3Exchange
from app.mailbox.pop3_mails import Pop3Mails
from app.mailbox.pop3_window import Window
from app.mailbox.refusals import Refusals, refused_mail
from app.mailbox.timeouts import MailboxTimeouts
from app.protocols.pop3 import commands
from app.protocols.pop3.commands import MAX_HEADER, MAX_MAILS
from app.protocols.pop3.listing import ListedMail, parse_listings, parse_stat
from app.protocols.pop3.reply import Pop3Reply
from app.protocols.pop3.trouble import is_for_now

# RFC 1939 section 3: a server may end a session after 10 minutes without a command, and some are hastier.
KEEP_ALIVE_S = 120


class Pop3Session:
    """An open mailbox. What is in it is what was there when it was opened."""

    epoch = ""  # a uid of POP3 holds for ever (RFC 1939 section 7)
    can_wait = False

    def __init__(self, exchange: Pop3Exchange, timeouts: MailboxTimeouts, *, has_top: bool) -> None:
        self._exchange = exchange
        self._timeouts = timeouts
        self._has_top = has_top
        self._known: Pop3Mails | None = None

    async def entries(self) -> Sequence[MailboxEntry]:
        """Return all mails but those that were deleted in this session, the oldest first."""
        return (await self._mails()).entries()

    async def head(self, uid: str) -> bytes:
        """Return the header of a mail up to the empty line behind it, b"" if the mail is gone."""
        mail = (await self._mails()).find(uid)
        if mail is None:
            return b""
        if self._has_top:
            (reply,) = await self._exchange.ask(commands.top(mail.number))
            if reply.is_ok:
                return _header(reply.content)
            self._has_top = False  # RFC 1939 section 7: TOP is optional, and not every server tells
        (reply,) = await self._exchange.ask(commands.retr(mail.number, max_bytes=MAX_HEADER))
        return _header(reply.content)

    async def fetch(
        self, uids: Sequence[str], *, max_bytes: int, progress: Progress | None = None
    ) -> AsyncIterator[FetchedMail]:
        """Yield each of these mails in order, asked for ahead where the server allows it (PIPELINING)."""
        mails = await self._mails()
        found = [mails.find(uid) for uid in uids]
        wanted = [mail for mail in found if mail is not None and mail.size_bytes <= max_bytes]
        window = Window(wanted, pipelining=self._exchange.pipelining)
        refusals = Refusals(self._exchange.server)
        turn = -1
        for uid, mail in zip(uids, found, strict=True):
            if mail is None:
                fetched = FetchedMail(uid, fault=GONE)
            elif mail.size_bytes > max_bytes:
                fetched = FetchedMail(uid, fault=too_large(f"of {mail.size_bytes} bytes", max_bytes))
            else:
                if turn != self._exchange.turn:  # at first, and when something else was asked in between
                    turn = await self._exchange.begin()
                    window.ask_again()
                fetched = _fetched(uid, await self._retrieve(window, max_bytes, progress), max_bytes)
            for ready in refusals.pass_on(fetched):
                yield ready
        for ready in refusals.rest():
            yield ready

    async def _retrieve(self, window: Window, max_bytes: int, progress: Progress | None) -> Pop3Reply:
        if batch := window.next_batch():
            self._exchange.ask_ahead([commands.retr(mail.number, max_bytes=max_bytes) for mail in batch])
        reply = await self._exchange.next_reply(progress)
        window.take()
        if progress:
            progress(len(reply.content))
        return reply

    async def delete(self, uids: Sequence[str]) -> None:
        """Have these mails deleted by close(). Raises MailboxFault also where the server will not have it."""
        mails = await self._mails()
        copies = list(mails.copies(uids))
        replies = await self._exchange.ask(*(commands.dele(mail.number) for mail in copies))
        refused = [reply for reply in replies if not reply.is_ok]
        for mail, reply in zip(copies, replies, strict=True):
            if reply.is_ok:
                mails.mark(mail)
        if refused:
            raise self._exchange.refusal(refused[0], "does not delete a mail", otherwise=Trouble.PROTOCOL)

    async def move(self, uids: Sequence[str], folder: str) -> None:
        """Raise MailboxFault: POP3 knows one folder."""
        raise mailbox_fault(
            self._exchange.server,
            f"POP3 knows no folders, so {len(uids)} mails cannot go to {folder!r}; keep or delete them, or read by imaps://",
            Trouble.CONFIGURATION,
        )

    async def wait(self, longest: timedelta) -> bool:
        """Return False after `longest`: what comes meanwhile is seen by the next session only."""
        left_s = longest.total_seconds()
        while left_s > 0:
            nap_s = min(left_s, KEEP_ALIVE_S)
            await asyncio.sleep(nap_s)
            left_s -= nap_s
            await self._exchange.ask(commands.NOOP)
        return False

    async def close(self) -> None:
        """End it, so that what was deleted goes. Raises MailboxFault when the server did not confirm that."""
        marked = self._known.marked if self._known else 0
        self._known = None
        if not marked:
            await self._exchange.leave()
            return
        try:
            reply = await self._exchange.quit(within_s=self._timeouts.quit_s)
        except MailboxFault as fault:
            raise MailboxFault(f"{fault}; {marked} deleted mails may still be there", fault.trouble) from fault
        if not reply.is_ok:  # RFC 1939 section 6: some or none of them were removed
            what = f"did not delete all of {marked} mails"
            raise self._exchange.refusal(reply, what, otherwise=Trouble.BUSY)

    def abort(self) -> None:
        """Cut the link: nothing that was deleted goes (RFC 1939 section 6)."""
        self._exchange.abort()

    async def _mails(self) -> Pop3Mails:
        """Return what is in the mailbox, asked for once: nothing comes within a session."""
        self._exchange.check()
        if self._known is None:
            self._known = Pop3Mails(await self._listed())
        return self._known

    async def _listed(self) -> Sequence[ListedMail]:
        (stat,) = await self._exchange.ask(commands.STAT)
        if not stat.is_ok:
            raise self._exchange.refusal(stat, "does not open the mailbox", otherwise=Trouble.PROTOCOL)
        with faults_of(self._exchange.server):
            count = parse_stat(stat.text)
        if count == 0:
            return []
        if count > MAX_MAILS:
            reason = (
                f"there are {count} mails in it, and {MAX_MAILS} can be read by POP3; clear it out, or use imaps://"
            )
            raise mailbox_fault(self._exchange.server, reason, Trouble.CONFIGURATION)
        return await self._list_all()

    async def _list_all(self) -> Sequence[ListedMail]:
        uids, sizes = await self._exchange.ask(commands.UIDL, commands.LIST)
        if not uids.is_ok:
            remedy = "without UIDL nobody can tell new mail from old; read it by imaps://"
            raise self._exchange.refusal(uids, "gives no UIDL", otherwise=Trouble.PROTOCOL, remedy=remedy)
        if not sizes.is_ok:
            raise self._exchange.refusal(sizes, "does not list the mails", otherwise=Trouble.PROTOCOL)
        with faults_of(self._exchange.server):
            # In a thread: half a million lines take a second.
            return await asyncio.to_thread(parse_listings, sizes, uids)


def _header(content: bytes) -> bytes:
    end = content.find(b"\r\n\r\n")
    return content if end < 0 else content[: end + 4]


def _fetched(uid: str, reply: Pop3Reply, max_bytes: int) -> FetchedMail:
    if not reply.is_ok:
        return refused_mail(uid, reply.words(), is_for_now=is_for_now(reply))
    if reply.is_cut:
        return FetchedMail(uid, fault=too_large("larger than the server says", max_bytes))
    return FetchedMail(uid, reply.content)
