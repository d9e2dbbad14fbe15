"""The mail that a report is about, as it comes back: as a part, its header alone, or in the text."""

import re
from collections.abc import Iterator
from itertools import chain, islice

from app.mail.message_id import OWN_ID, PROBE_ID
from app.mail.reading.head import HeaderRoom, read_head
from app.mail.reading.headers import Headers
from app.mail.reading.message import Message

# RFC 6522 section 3, RFC 3462 section 2, RFC 6533 section 5, and a name that is not registered.
_TYPES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/rfc822-headers"}
)
MAX_HEADER_BYTES = 256 * 1024  # ours are 2 KiB, and a long way adds a hundred
_MAX_FIELDS = 2000
_MAX_FIELD_BYTES = 16 * 1024
MAX_FILES = 10
MAX_LINES = 50  # that name a mail in one text; each costs two MACs
# Quoted or set in, as the program that reports shows it.
_NAMING_LINE = re.compile(
    rf"^[>| \t]{{0,40}}(?:{OWN_ID}|{PROBE_ID}|Message-ID):[ \t]{{0,40}}<?([\w.+-]{{1,200}})(?:@|>|\s|$)",
    re.MULTILINE | re.IGNORECASE | re.ASCII,
)


def returned_headers(message: Message) -> Iterator[Headers]:
    """Yield the headers of the mails that came back as parts, the first few: a report brings back one."""
    returned = (part for part in message.parts if part.content_type in _TYPES)
    room = HeaderRoom(_MAX_FIELDS, MAX_HEADER_BYTES, _MAX_FIELD_BYTES)
    for part in islice(returned, MAX_FILES):
        if not room.is_used_up:
            yield Headers(read_head(part.data, 0, room=room, is_boundary=lambda _: False).fields)


def names_in_text(message: Message) -> list[str]:
    """Return what lines of the text name as the id of a mail: tokens, and Message-IDs as far as the @.

    In a report the text behind the first part is a file to the reader; what comes back is often in it.
    """
    files = (part.data[:MAX_HEADER_BYTES] for part in message.files if part.main_type == "text")
    texts = chain([message.text], (data.decode("latin-1") for data in islice(files, MAX_FILES)))
    lines = chain.from_iterable(map(_NAMING_LINE.finditer, texts))
    return [found[1] for found in islice(lines, MAX_LINES)]
