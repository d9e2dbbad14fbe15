"""Bytes of a POP3 server in, answers out."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from app.domain.errors import ProtocolError
from app.protocols.lines import LineBuffer
from app.protocols.pop3.commands import Command
from app.protocols.pop3.content import Content
from app.protocols.pop3.reply import Pop3Reply, parse_status, readable
from app.protocols.sasl import without_secrets

# RFC 2449 section 4 asks for 512. A challenge of a login is longer (RFC 5034 section 4), and some explain at length.
MAX_LINE = 8192


class ReplyReader:
    """Fed in pieces of any size. It has to know what was asked: a +OK alone does not tell whether lines follow.

    `secrets` never stand in an answer or an error: some servers repeat the password, at the login or later.
    """

    __slots__ = ("_asked", "_buffer", "_content", "_status", "secrets")

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = ()
        self._buffer = LineBuffer(max_line=MAX_LINE)
        self._asked: deque[Command] = deque()  # what an answer is due to
        self._status: Pop3Reply | None = None  # of the answer that is coming
        self._content: Content | None = None

    def __bool__(self) -> bool:
        """Whether something came that no answer was made of yet."""
        return bool(self._buffer) or self._status is not None

    @property
    def awaited(self) -> int:
        """How many answers are due."""
        return len(self._asked)

    @property
    def content_bytes(self) -> int:
        """How much has come of the mail or listing that is coming."""
        return self._content.size_bytes if self._content is not None else 0

    def expect(self, commands: Iterable[Command]) -> None:
        """Note what is asked now: one answer comes for each."""
        self._asked.extend(commands)

    def feed(self, data: bytes) -> None:
        """Add what the server sent."""
        self._buffer.feed(data)

    def next_reply(self) -> Pop3Reply | None:
        """Return the next answer once it is whole, None until then. Raises ProtocolError.

        What comes when no answer is due is left where it is: it is for whoever speaks next to mind.
        """
        if not self._asked:
            return None
        if self._content is None and not self._begin():
            return None
        if self._content is not None and not self._content.take_from(self._buffer):
            return None
        return self._end()

    def _begin(self) -> bool:
        """Read the first line of an answer; return whether there was one."""
        line = self._buffer.next_line()
        if line is None:
            return False
        status = parse_status(line)
        if status is None:
            # Hidden before it is cut, which could leave half a password.
            raise ProtocolError(f"the server sent no POP3 answer: {self._hidden(readable(line))[:80]!r}")
        shown, code = self._hidden(status.text), self._hidden(status.code)
        if (shown, code) != (status.text, status.code):
            status = replace(status, text=shown, code=code)
        self._status = status
        asked = self._asked[0]
        if asked.max_content is not None and status.is_ok:
            self._content = Content(asked.max_content, may_be_cut=asked.may_be_cut)
        return True

    def _end(self) -> Pop3Reply:
        reply, content = self._status, self._content
        assert reply is not None
        self._asked.popleft()
        self._status = self._content = None
        if content is None:
            return reply
        return Pop3Reply(reply.status, reply.text, reply.code, content.whole(), content.is_cut)

    def _hidden(self, text: str) -> str:
        return without_secrets(text, self.secrets)
