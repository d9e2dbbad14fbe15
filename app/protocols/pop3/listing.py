"""The listings of a mailbox: what is in it, how large, and by which lasting names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.errors import ProtocolError
from app.protocols.pop3.commands import MAX_MAILS
from app.protocols.pop3.reply import Pop3Reply

MAX_UID = 255  # characters; RFC 1939 section 7 allows 70, and some servers take more

# RFC 1939 section 11: what may follow a size is for the server's friends.
_SIZE = re.compile(rb"([0-9]{1,10})[ \t]+([0-9]{1,18})(?:[ \t].*)?")
_UID = re.compile(rb"([0-9]{1,10})[ \t]+([^ \t]{1,%d})[ \t]*" % MAX_UID)


@dataclass(frozen=True, slots=True)
class ListedMail:
    """One mail: the number it has in this session, its size in octets, and its lasting name."""

    number: int
    size_bytes: int
    uid: str


def parse_stat(text: str) -> int:
    """Return how many mails there are, by the text of the answer to STAT. Raises ProtocolError."""
    digits = text.partition(" ")[0]
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 10:
        raise ProtocolError("the server does not say how many mails there are")
    return int(digits)


def parse_listings(sizes: Pop3Reply, uids: Pop3Reply) -> list[ListedMail]:
    """Return the mails by the answers to LIST and UIDL, the oldest first. Raises ProtocolError."""
    names = {int(number): uid.decode("ascii", "backslashreplace") for number, uid in _pairs(_UID, uids, "UIDL")}
    mails = []
    for number, size in _pairs(_SIZE, sizes, "LIST"):
        uid = names.get(int(number))
        if uid is None:  # without a name it would be read again and again, or never
            raise ProtocolError(f"the server gives no UIDL of mail {int(number)}")
        mails.append(ListedMail(int(number), int(size), uid))
    if len(mails) < len(names):
        raise ProtocolError(f"the server lists {len(mails)} mails, and {len(names)} names of mails")
    return sorted(mails, key=lambda mail: mail.number)


def _pairs(pattern: re.Pattern[bytes], reply: Pop3Reply, command: str) -> Iterator[tuple[bytes, bytes]]:
    lines = reply.content.split(b"\r\n")
    if len(lines) > MAX_MAILS + 1:
        raise ProtocolError(f"the server lists more than {MAX_MAILS} mails")
    for line in lines:
        if match := pattern.fullmatch(line):
            yield match[1], match[2]
        elif line:
            raise ProtocolError(f"the server sent a line in {command} that names no mail")
