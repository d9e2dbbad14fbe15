"""What is said to a relay and what it answers, over a stream, for whoever wants to watch."""

from collections.abc import Callable

from app.domain.errors import ProtocolError
from app.net.streams import Stream
from app.protocols.sasl import masked
from app.protocols.smtp.reply import ReplyReader, ServerReply

OnLine = Callable[[str, str], None]  # ("C" or "S", the line without its end and without secrets)


class Dialogue:
    """Commands out, replies in. Deadlines are points on the clock of the event loop."""

    def __init__(self, stream: Stream, on_line: OnLine | None) -> None:
        self.stream = stream
        self._on_line = on_line
        self._replies = ReplyReader()

    @property
    def silent(self) -> bool:
        """Whether the relay has said nothing that was not taken yet, and the link is up."""
        return not (self.stream.has_input or self._replies)

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Let none of `secrets` stand in a reply or an error from now on: some relays repeat the password."""
        self._replies.secrets = secrets

    def say(self, data: bytes, *, secret: bool = False) -> None:
        """Send commands. Raises ProtocolError if the relay spoke or hung up before it was asked."""
        # What lies unread would be taken for the reply to what is said now.
        if not self.silent:
            raise ProtocolError("the relay hung up or spoke out of turn")
        self.show(data, secret=secret)
        self.stream.write(data)

    def show(self, data: bytes, *, secret: bool = False) -> None:
        """Let whoever watches see commands that go out."""
        if self._on_line:
            for line in data.decode().splitlines():
                self._on_line("C", masked(line) if secret else line)

    def show_content(self, size_bytes: int) -> None:
        """Let whoever watches know of the content of a mail."""
        if self._on_line:
            self._on_line("C", f"({size_bytes} bytes of mail and the final dot)")

    async def next_reply(self, deadline: float) -> ServerReply:
        """Return the next reply. Raises ProtocolError, StreamClosed or StreamTimeout."""
        while (reply := self.buffered_reply()) is None:
            self._replies.feed(await self.stream.read(deadline))
        return reply

    def buffered_reply(self) -> ServerReply | None:
        """Return the next reply if it has come already."""
        reply = self._replies.next_reply()
        if reply is not None and self._on_line:
            for number, line in enumerate(reply.lines, start=1):
                separator = "-" if number < len(reply.lines) else " "
                self._on_line("S", f"{reply.code}{separator}{line}".rstrip())
        return reply
