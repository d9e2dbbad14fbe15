"""Questions and answers of one open POP3 session, which is lost for good at the first fault of its link."""

from collections.abc import Sequence

from app.domain.errors import MailAlertError
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import MailboxFault, Progress, Trouble
from app.mailbox.faults import LINK_ERRORS, fault_of, mailbox_fault
from app.mailbox.pop3_dialogue import Pop3Dialogue
from app.mailbox.pop3_window import MAX_AHEAD
from app.protocols.pop3.commands import QUIT, Command
from app.protocols.pop3.reply import Pop3Reply
from app.protocols.pop3.trouble import trouble_of


class Pop3Exchange:
    """Used by one task. Whoever asks ahead and is left in the middle loses those answers to who asks next.

    `turn` is another number after each question: what was asked ahead before it does not come any more.
    """

    def __init__(self, server: MailboxServer, dialogue: Pop3Dialogue, *, pipelining: bool) -> None:
        self.server = server
        self.pipelining = pipelining
        self.turn = 0
        self.lost: MailboxFault | None = None
        self._dialogue = dialogue
        self._guard = _Guard(self)

    def check(self) -> None:
        """Raise MailboxFault if the session is lost."""
        if self.lost is not None:
            raise MailboxFault(str(self.lost), self.lost.trouble)

    async def ask(self, *questions: Command) -> list[Pop3Reply]:
        """Return the answer to each. Raises MailboxFault."""
        replies: list[Pop3Reply] = []
        size = MAX_AHEAD if self.pipelining else 1
        with self._guard:
            await self._settle()
            for at in range(0, len(questions), size):
                batch = questions[at : at + size]
                self._dialogue.say(*batch)
                replies += [await self._dialogue.next_reply() for _ in batch]
        return replies

    async def begin(self) -> int:
        """Make ready to ask ahead; return whose turn it is now."""
        with self._guard:
            await self._settle()
        return self.turn

    def ask_ahead(self, questions: Sequence[Command]) -> None:
        """Ask what next_reply() gives the answers to."""
        with self._guard:
            self._dialogue.say(*questions)

    async def next_reply(self, progress: Progress | None) -> Pop3Reply:
        """Return the answer to the next question that was asked ahead."""
        with self._guard:
            return await self._dialogue.next_reply(progress)

    async def quit(self, *, within_s: float) -> Pop3Reply:
        """Return the answer to QUIT, and close."""
        with self._guard:
            await self._settle()
            self._dialogue.say(QUIT)
            reply = await self._dialogue.next_reply(within_s=within_s)
        self.lost = self._closed()
        await self._dialogue.close()
        return reply

    async def leave(self) -> None:
        """Close with a word of goodbye, which nothing depends on."""
        self.lost = self.lost or self._closed()
        await self._dialogue.goodbye()

    def abort(self) -> None:
        """Cut the link."""
        self.lost = self.lost or self._fault("the session was cut", Trouble.UNREACHABLE)
        self._dialogue.stream.abort()

    def refusal(self, reply: Pop3Reply, what: str, *, otherwise: Trouble, remedy: str = "") -> MailboxFault:
        """Return the fault that a -ERR is, by which the session is not lost."""
        trouble = trouble_of(reply, otherwise=otherwise)
        return self._fault(f'the server {what} and says "{reply.words()}"{remedy and f"; {remedy}"}', trouble)

    def _closed(self) -> MailboxFault:
        return self._fault("the session is closed", Trouble.UNREACHABLE)

    def _fault(self, reason: str, trouble: Trouble) -> MailboxFault:
        return mailbox_fault(self.server, reason, trouble)

    async def _settle(self) -> None:
        """Let what was asked ahead come, and forget it: then nothing more may be said before we ask."""
        self.turn += 1
        while self._dialogue.awaited:
            await self._dialogue.next_reply()
        await self._dialogue.check_silence()

    def lose(self, error: MailAlertError) -> MailboxFault:
        """Cut the link for good; return the fault that it is."""
        self.lost = fault_of(self.server, error)
        self._dialogue.stream.abort()
        return self.lost


class _Guard:
    """Around whatever uses the link. Entered for every mail: as a generator it would cost as much as reading one."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Pop3Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        self._exchange.check()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, LINK_ERRORS):
            raise self._exchange.lose(error) from error
