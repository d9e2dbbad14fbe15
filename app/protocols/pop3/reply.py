"""What a POP3 server answers, as values."""

import re
from dataclasses import dataclass, field
from enum import Enum

from app.domain.text import one_line, shorten

MAX_TEXT = 500  # characters of a reply that go to the log; RFC 2449 section 4: a first line has at most 512 octets

# RFC 1939 section 3, in upper case; RFC 5034 section 4: "+ " asks for more of a login. Some leave out its space.
_STATUS = re.compile(rb"(\+OK|-ERR|\+)(?:[ \t]+(.*))?", re.DOTALL)
# RFC 2449 section 8: a response code, whose parts are separated by "/".
_CODE = re.compile(r"\[([A-Za-z][A-Za-z0-9/_-]*)[^\]]*\]\s*")


class Status(Enum):
    """How an answer begins."""

    OK = b"+OK"
    ERR = b"-ERR"
    MORE = b"+"  # the server waits for the next piece of a login


_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Pop3Reply:
    """One answer. `content` is what came behind its first line, dots undone, lines ended by CRLF.

    `code` is the response code, upper case, "" for none. Content beyond what was asked for is not kept: then it
    `is_cut`.
    """

    status: Status
    text: str = ""
    code: str = ""
    content: bytes = field(default=b"", repr=False)
    is_cut: bool = False

    @property
    def is_ok(self) -> bool:
        """+OK: done as asked."""
        return self.status is Status.OK

    def __str__(self) -> str:
        code = f"[{self.code}]" if self.code else ""
        return " ".join(filter(None, (self.status.value.decode(), code, self.text)))

    def words(self) -> str:
        """Return what the server says, for a person."""
        return shorten(self.text or self.code or "nothing more", MAX_TEXT)


def parse_status(line: bytes) -> Pop3Reply | None:
    """Return the answer that begins with `line`, which has no line end; None for what is no answer."""
    match = _STATUS.fullmatch(line)
    if match is None:
        return None
    status, text = _STATUSES[match[1]], readable(match[2] or b"")
    if not text.startswith("[") or (code := _CODE.match(text)) is None:
        return Pop3Reply(status, text)
    return Pop3Reply(status, text[code.end() :], code[1].upper())


def readable(text: bytes) -> str:
    """Return what a server said as one line. RFC 6856 section 2: UTF-8; anything else is shown, not refused."""
    return one_line(text.decode("utf-8", "backslashreplace"))
