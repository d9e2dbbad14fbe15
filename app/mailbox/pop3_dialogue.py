"""What is said to a POP3 server and what it answers, over a stream, for whoever wants to watch."""

import asyncio
from collections.abc import Callable

from app.domain.errors import ProtocolError
from app.domain.mailbox_session import Progress
from app.mailbox.timeouts import MailboxTimeouts
from app.net.errors import StreamClosed, StreamError, StreamTimeout
from app.net.streams import Stream
from app.protocols.pop3.commands import GREETING, QUIT, Command
from app.protocols.pop3.masking import masked
from app.protocols.pop3.reader import ReplyReader
from app.protocols.pop3.reply import Pop3Reply, Status

OnLine = Callable[[str, str], None]  # ("C" or "S", the line without its end and without secrets)


class Pop3Dialogue:
    """Commands out, answers in, in the same order."""

    def __init__(self, stream: Stream, timeouts: MailboxTimeouts, on_line: OnLine | None) -> None:
        self.stream = stream
        self._timeouts = timeouts
        self._on_line = on_line
        self._reader = ReplyReader()
        self._reader.expect([GREETING])
        self._time = asyncio.get_running_loop().time

    @property
    def awaited(self) -> int:
        """How many answers are due."""
        return self._reader.awaited

    @property
    def silent(self) -> bool:
        """Whether the server has said nothing that was not taken yet, and the link is up."""
        return not (self.stream.has_input or self._reader)

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Let none of `secrets` stand in an answer or an error from now on: some servers repeat the password."""
        self._reader.secrets = secrets

    async def check_silence(self) -> None:
        """Raise StreamClosed if the server has ended the session meanwhile, ProtocolError if it talks unasked."""
        if self.silent:
            return
        if not self._reader:
            self._reader.feed(await self._read(self._time() + self._timeouts.command_s))
        self._reader.expect([GREETING])
        reply = self._reader.next_reply()
        if reply is not None and reply.status is Status.ERR:  # some tell that nobody spoke for too long
            raise StreamClosed(f'the server ended the session and says "{reply.words()}"')
        raise ProtocolError("the server spoke out of turn")

    def say(self, *commands: Command) -> None:
        """Send commands in one piece. Raises ProtocolError if the server spoke or hung up before it was asked."""
        # What lies unread would be taken for the answer to what is said now.
        if not self.awaited and not self.silent:
            raise ProtocolError("the server hung up or spoke out of turn")
        self._reader.expect(commands)
        self.stream.write(b"".join([command.line for command in commands]))
        if self._on_line:
            for command in commands:
                line = command.line.decode().removesuffix("\r\n")
                self._on_line("C", masked(line) if command.secret else line)

    async def next_reply(self, progress: Progress | None = None, *, within_s: float | None = None) -> Pop3Reply:
        """Return the next answer. Raises ProtocolError, StreamClosed or StreamTimeout.

        It begins within the time for a command, or `within_s`; then each piece of its content has its own time.
        """
        reply = self._reader.next_reply()
        if reply is None:
            reply = await self._coming_reply(progress, within_s or self._timeouts.command_s)
        if self._on_line:
            self._show(reply, self._on_line)
        return reply

    async def _coming_reply(self, progress: Progress | None, within_s: float) -> Pop3Reply:
        begun = self._time()
        deadline = begun + within_s
        while True:
            self._reader.feed(await self._read(deadline))
            reply = self._reader.next_reply()
            if reply is not None:
                return reply
            if came := self._reader.content_bytes:
                if self._time() > begun + self._timeouts.mail_s:  # with pieces at hand no read has to wait
                    raise StreamTimeout(f"the server did not come to an end within {self._timeouts.mail_s:g} s")
                deadline = min(self._time() + self._timeouts.piece_s, begun + self._timeouts.mail_s)
                if progress:
                    progress(came)

    async def _read(self, deadline: float) -> bytes:
        waited_from = self._time()
        try:
            return await self.stream.read(deadline)
        except StreamTimeout as error:
            raise StreamTimeout(f"the server did not answer within {deadline - waited_from:.3g} s") from error

    def _show(self, reply: Pop3Reply, on_line: OnLine) -> None:
        on_line("S", str(reply))
        if reply.content:
            on_line("S", f"({len(reply.content)} bytes)")

    async def goodbye(self) -> None:
        """Say QUIT if the server listens, and close. Never raises."""
        try:
            if self.silent and not self.awaited:
                self.say(QUIT)
                await self.next_reply(within_s=self._timeouts.goodbye_s)
        except (StreamError, ProtocolError):
            pass  # the session is over either way
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the link. Never raises."""
        await self.stream.close(self._time() + self._timeouts.goodbye_s)
