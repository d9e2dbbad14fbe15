"""From octets to the header fields of a mail or a part: where they end is a question that many mails get wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.mail.reading.headers import HeaderField

NO_HEADERS = "a mail or one of its parts begins without a header"
NO_EMPTY_LINE = "no empty line stands between the header and the text"
NO_BODY = "a part ends in its header"
FIELDS_DROPPED = "there were more header fields than are read"
FIELD_CUT = "a header field was too long to be read as a whole"

_FIELD = re.compile(rb"([!-9;-~]{1,998})[ \t]{0,100}:")  # RFC 5322 section 2.2; the space before the colon: section 4.5
_POSTMARK = re.compile(rb">?From ")  # RFC 4155: of a mailbox file; some relays let it through
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_BLANKS = b" \t"


@dataclass(frozen=True, slots=True)
class Head:
    """The fields, where the body begins, and what is wrong, nothing for a sound one."""

    fields: tuple[HeaderField, ...]
    body_start: int
    defects: tuple[str, ...]


@dataclass(slots=True)
class HeaderRoom:
    """How much may still be read of the headers of one mail, that of each part counted; one field holds `field_bytes`.

    Decoding a field takes many times its length, and no other thread runs during some of it.
    """

    fields: int
    header_bytes: int
    field_bytes: int

    @property
    def is_used_up(self) -> bool:
        """Whether no further line is read."""
        return self.header_bytes <= 0

    def kept(self, data: bytes, spans: list[tuple[str, int, int]], defects: list[str]) -> tuple[HeaderField, ...]:
        """Return the fields at `spans` as far as there is room, and take it."""
        if len(spans) > self.fields:
            defects.append(FIELDS_DROPPED)
        if any(end - begin > self.field_bytes for _, begin, end in spans[: self.fields]):
            defects.append(FIELD_CUT)
        fields = tuple(
            HeaderField(name, data[begin : min(end, begin + self.field_bytes)].rstrip(b"\r\n"))
            for name, begin, end in spans[: self.fields]
        )
        self.fields -= len(fields)
        return fields


def read_head(data: bytes, start: int, *, room: HeaderRoom, is_boundary: Callable[[bytes], bool]) -> Head:
    """Read the header that begins at `start`. It ends with an empty line, or before what cannot belong to it.

    `is_boundary` tells of a line that begins with two hyphens whether it ends the part.
    """
    spans: list[tuple[str, int, int]] = []  # names, and what stands behind the colons
    position = start
    defects: list[str] = []
    while position < len(data):
        if room.is_used_up:
            defects.append(FIELDS_DROPPED)
            position = _end_unread(data, position, room.field_bytes)
            break
        line_end = data.find(b"\n", position) + 1 or len(data)
        if data[position] in b"\r\n" and not data[position:line_end].strip(b"\r\n"):
            position = line_end
            break
        if data[position : position + 2] == b"--" and is_boundary(data[position:line_end]):
            defects.append(NO_BODY)
            break
        found = _FIELD.match(data, position, line_end)
        if found:
            if len(spans) <= room.fields:  # one more is remembered, to tell that there are more
                spans.append((found[1].decode("ascii"), found.end(), line_end))
        elif spans and data[position] in _BLANKS:
            if len(spans) <= room.fields:
                spans[-1] = (*spans[-1][:2], line_end)  # folded: section 2.2.3
        elif not (position == start and _POSTMARK.match(data, position, line_end)):
            defects.append(NO_EMPTY_LINE if spans else NO_HEADERS)
            break
        room.header_bytes -= line_end - position
        position = line_end
    fields = room.kept(data, spans, defects)
    return Head(fields, position, tuple(dict.fromkeys(defects)))


def _end_unread(data: bytes, position: int, reach: int) -> int:
    """Return where the next empty line ends; without one near by the rest is text, so that nothing of it is lost."""
    empty_line = _EMPTY_LINE.search(data, position - 1, position + reach)
    return empty_line.end() if empty_line else position
