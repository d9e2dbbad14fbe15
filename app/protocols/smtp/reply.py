"""Replies of an SMTP server, read from bytes."""

import re
from dataclasses import dataclass
from functools import lru_cache

from app.domain.errors import ProtocolError
from app.domain.outcome import Reply
from app.domain.text import one_line, shorten
from app.protocols.lines import LineBuffer
from app.protocols.sasl import without_secrets

# RFC 4954 section 4: the longest line of all extensions we speak; RFC 5321 section 4.5.3.1.5 asks for 512.
MAX_LINE = 12288
MAX_LINES = 100  # the EHLO replies and policy essays of large providers have about 20
MAX_TEXT = 1000  # characters of a reply that go to the journal and the log

# RFC 5321 section 4.2: three digits, the first 2 to 5 (1 is not used), then "-", " " or nothing.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
# RFC 2034 section 4. An address such as "5.1.1.7 is blocked" is none, so a space or the end must follow.
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class ServerReply:
    """One reply as it came: the code, and the text of each line made readable."""

    code: int
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        """2xx: done as asked."""
        return 200 <= self.code <= 299

    @property
    def is_intermediate(self) -> bool:
        """3xx: go on."""
        return 300 <= self.code <= 399

    @property
    def is_negative(self) -> bool:
        """4xx or 5xx: not done."""
        return self.code >= 400

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.lines)}"

    def summary(self) -> Reply:
        """Return the reply in one line, its enhanced code apart; servers repeat that code on each line."""
        match = _ENHANCED.match(self.lines[0])
        if match is None:
            return Reply(self.code, shorten(" ".join(filter(None, self.lines)), MAX_TEXT))
        enhanced = match[1]
        if len(self.lines) == 1:
            return Reply(self.code, shorten(self.lines[0][match.end() :], MAX_TEXT), enhanced)
        texts = [line.removeprefix(enhanced).strip() for line in self.lines]
        return Reply(self.code, shorten(" ".join(filter(None, texts)), MAX_TEXT), enhanced)


class ReplyReader:
    """Bytes in, replies out; fed in pieces of any size.

    `secrets` never stand in a reply or an error: some servers repeat the password, at the login or later.
    """

    __slots__ = ("_buffer", "_code", "_lines", "secrets")

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = ()
        self._buffer = LineBuffer(max_line=MAX_LINE)
        self._code = 0
        self._lines: list[str] = []

    def __bool__(self) -> bool:
        """Whether something came that no reply was made of yet."""
        return bool(self._buffer) or bool(self._lines)

    def feed(self, data: bytes) -> None:
        """Add what the server sent."""
        self._buffer.feed(data)

    def next_reply(self) -> ServerReply | None:
        """Return the next whole reply, or None until there is one. Raises ProtocolError for what is none."""
        while (line := self._buffer.next_line()) is not None:
            more, reply = self._parse(line)
            if not more and not self._lines:
                return reply
            self._add(reply)
            if not more:
                whole = ServerReply(reply.code, tuple(self._lines))
                self._lines.clear()
                return whole
        return None

    def _parse(self, line: bytes) -> tuple[bool, ServerReply]:
        """Return whether more lines follow, and the line as a reply of its own."""
        parsed = _parse_line(line)
        if parsed is None:
            # Hidden before it is cut, which could leave half a password.
            raise ProtocolError(f"the relay sent no SMTP reply: {self._hidden(_readable(line))[:80]!r}")
        if not self.secrets:
            return parsed
        more, reply = parsed
        return more, ServerReply(reply.code, tuple(map(self._hidden, reply.lines)))

    def _hidden(self, text: str) -> str:
        return without_secrets(text, self.secrets)

    def _add(self, part: ServerReply) -> None:
        # RFC 5321 section 4.2.1: every line of a reply has the same code.
        if self._lines and part.code != self._code:
            raise ProtocolError(f"the relay mixed codes in one reply: {self._code} and {part.code}")
        if len(self._lines) == MAX_LINES:
            raise ProtocolError(f"the relay sent a reply of more than {MAX_LINES} lines")
        self._code = part.code
        self._lines += part.lines


@lru_cache(maxsize=64)  # a relay says the same few lines for every mail: this halves the cost of reading them
def _parse_line(line: bytes) -> tuple[bool, ServerReply] | None:
    """Return whether more lines follow, and the line as a reply of its own; None for what is no reply."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    code, separator, text = match.groups()
    return separator == b"-", ServerReply(int(code), (_readable(text or b""),))


def _readable(text: bytes) -> str:
    # RFC 5321 section 4.2: ASCII (RFC 6531 section 3.7.4.2: or UTF-8); anything else is shown, not refused.
    return one_line(text.decode("utf-8", "backslashreplace"))
