"""Header fields: any text becomes printable ASCII in short lines, and never a second header."""

import re
from binascii import b2a_base64
from collections.abc import Iterable
from datetime import UTC, datetime

from app.domain.address import Mailbox
from app.domain.text import one_line

CRLF = "\r\n"
FOLD = "\r\n "  # RFC 5322 section 2.2.3
MAX_LINE = 76  # RFC 2047 section 2: of a line with an encoded-word; RFC 5322 would like 78 for the others
MAX_WORD = 75  # RFC 2047 section 2: of one encoded-word
_WORD_START, _WORD_END = "=?utf-8?b?", "?="
_FOLDING_POINT = re.compile(r"(?<=\S)(?= \S)")  # at a single space, so that no line ends in white space
# What can stand between quotes as it is. "=?" must not: many readers decode encoded-words even there.
QUOTABLE = re.compile(r"(?!.*=\?)(?!.*  )[ !#-\[\]-~]{0,60}")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unstructured(name: str, text: str) -> str:
    """Return the header field `name` holding free text, CRLF included (RFC 5322 section 2.2.1, RFC 2047)."""
    text = one_line(text)
    if text.isascii() and "=?" not in text:
        line = f"{name}: {text}"
        folded = line if len(line) <= MAX_LINE else _folded(line)
        if folded:
            return folded + CRLF
    return f"{name}: {_encoded_words(text, used=len(name) + 2)}{CRLF}"


def address_list(name: str, mailboxes: Iterable[Mailbox]) -> str:
    """Return the header field `name` holding addresses, one on a line, CRLF included (RFC 5322 section 3.4)."""
    return f"{name}: {(',' + FOLD).join(_mailbox(m, used=len(name) + 2) for m in mailboxes)}{CRLF}"


def date(moment: datetime) -> str:
    """Return the time as RFC 5322 section 3.3 writes it, in UTC."""
    t = moment.astimezone(UTC)
    return (
        f"{_DAYS[t.weekday()]}, {t.day:02} {_MONTHS[t.month]} {t.year:04} {t.hour:02}:{t.minute:02}:{t.second:02} +0000"
    )


def automatic(*, is_answer: bool = False) -> str:
    """Return the header fields that say that a program wrote the mail, so that no other program answers it."""
    kind = "auto-replied" if is_answer else "auto-generated"  # RFC 3834 section 5
    # The second keeps Exchange from answering with an out-of-office note.
    return f"Auto-Submitted: {kind}\r\nX-Auto-Response-Suppress: All\r\n"


def _mailbox(mailbox: Mailbox, *, used: int) -> str:
    address = one_line(mailbox.address)
    name = one_line(mailbox.name)
    if not address.isascii():
        # RFC 6857 section 3.1: headers of ASCII show such an address as the name of a group without members.
        return f"{_encoded_words(f'{name} {address}'.lstrip(), used=used)}{FOLD}:;"
    if not name:
        return address
    if not QUOTABLE.fullmatch(name):
        return f"{_encoded_words(name, used=used)}{FOLD}<{address}>"
    short = used + len(name) + len(address) + len('"" <>,') <= MAX_LINE
    return f'"{name}"{" " if short else FOLD}<{address}>'


def _folded(line: str) -> str | None:
    """Return the line folded at its spaces, None if a word is too long for that."""
    lines: list[str] = []
    for piece in _FOLDING_POINT.split(line):
        if lines and len(lines[-1]) + len(piece) <= MAX_LINE:
            lines[-1] += piece
        else:
            lines.append(piece)
    return CRLF.join(lines) if max(map(len, lines)) <= MAX_LINE else None


def _encoded_words(text: str, *, used: int) -> str:
    """Return `text` as encoded-words, one on a line; `used` columns of the first line are taken."""
    octets = text.encode()
    words: list[str] = []
    start = 0
    while start < len(octets):
        room = MAX_WORD if words else min(MAX_WORD, MAX_LINE - used)
        end = _character_boundary(octets, start + (room - len(_WORD_START + _WORD_END)) // 4 * 3)
        words.append(_WORD_START + b2a_base64(octets[start:end], newline=False).decode() + _WORD_END)
        start = end
    return FOLD.join(words)


def _character_boundary(octets: bytes, end: int) -> int:
    """Return the last place up to `end` where no character is cut (RFC 2047 section 5, rule 3)."""
    while end < len(octets) and octets[end] & 0xC0 == 0x80:
        end -= 1
    return end
