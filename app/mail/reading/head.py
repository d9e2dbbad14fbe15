"""From octets to the header fields of a mail or a part: where they end is a question that many mails get wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.mail.reading.headers import HeaderField

NO_HEADERS = "a mail or one of its parts begins without a header"
NO_EMPTY_LINE = "no empty line stands between the header and the text"
NO_BODY = "a part ends in its header"
FIELDS_DROPPED = "there were more header fields than are read"

_FIELD = re.compile(rb"([!-9;-~]{1,998})[ \t]{0,100}:")  # RFC 5322 section 2.2; the space before the colon: section 4.5
_POSTMARK = re.compile(rb">?From ")  # RFC 4155: of a mailbox file; some relays let it through
_BLANKS = b" \t"


@dataclass(frozen=True, slots=True)
class Head:
    """The fields, where the body begins, and what is wrong, "" for nothing."""

    fields: tuple[HeaderField, ...]
    body_start: int
    defects: tuple[str, ...]


def read_head(data: bytes, start: int, *, max_fields: int, is_boundary: Callable[[bytes], bool]) -> Head:
    """Read the header that begins at `start`. It ends with an empty line, or before what cannot belong to it.

    `is_boundary` tells of a line that begins with two hyphens whether it ends the part.
    """
    names: list[str] = []
    spans: list[tuple[int, int]] = []  # of what stands behind the colons
    position = start
    defects: list[str] = []
    while position < len(data):
        line_end = data.find(b"\n", position) + 1 or len(data)
        if data[position] in b"\r\n" and not data[position:line_end].strip(b"\r\n"):
            position = line_end
            break
        found = _FIELD.match(data, position, line_end)
        if data[position : position + 2] == b"--" and is_boundary(data[position:line_end]):
            defects.append(NO_BODY)
            break
        if found:
            if len(names) <= max_fields:  # one more is remembered, to tell that there are more
                names.append(found[1].decode("ascii"))
                spans.append((found.end(), line_end))
        elif spans and data[position] in _BLANKS:
            if len(names) <= max_fields:
                spans[-1] = (spans[-1][0], line_end)  # folded: section 2.2.3
        elif not (position == start and _POSTMARK.match(data, position, line_end)):
            defects.append(NO_EMPTY_LINE if spans else NO_HEADERS)
            break
        position = line_end
    if len(names) > max_fields:
        defects.append(FIELDS_DROPPED)
    fields = [
        HeaderField(name, data[begin:end].rstrip(b"\r\n"))
        for name, (begin, end) in zip(names[:max_fields], spans[:max_fields], strict=True)
    ]
    return Head(tuple(fields), position, tuple(defects))
