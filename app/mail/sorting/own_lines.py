"""The lines of an answer in which a command may stand: a person's own, not what mail programs put around them."""

import re
from collections.abc import Sequence
from io import StringIO
from itertools import islice
from unicodedata import normalize

from app.mail.reading.html_text import html_to_text
from app.mail.reading.message import Message
from app.mail.sorting.html_quotes import above_quotes

MAX_LINES = 2000  # that are looked at; an alert that is quoted above an answer is far shorter
MAX_LENGTH = 200  # characters of a line; a command is a few words
# Not seen, and put anywhere by mail programs: soft hyphens, joiners, marks of direction and of byte order.
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u034f\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
# "On Nov 22, 2026, Dana wrote:", "Am 22.11.26 schrieb Dana:", "Dana <dana@example.org> writes:": in every language it
# begins with a line that holds a date or an address, and ends with a colon.
_INTRODUCTION = re.compile(r"[^\n]*[\d@](?:[^\n]*\n){0,3}[^\n]*:")  # wrapped to two or three lines


def own_lines(message: Message) -> tuple[str, ...]:
    """Return the first line of the answer, and what follows the quote if that line only introduces one.

    The first line counts whatever it is. No signature, no separator and no introduction of a quote, in any language
    and by any program, is a command; so they need not be known, and nothing below them is ever taken for one.

    Below a quote an answer counts if each line of the quote has its mark (RFC 3676 section 4.5), which only plain text
    can tell: where Thunderbird puts it. White space is collapsed, wide characters are made narrow (NFKC).
    """
    if not _has_plain_text(message):
        return tuple(filter(None, [_first(_lines(html_to_text(above_quotes(message.html))))]))
    lines = _lines(message.text)
    return tuple(filter(None, [_first(lines), _below_quote(lines)]))


def _has_plain_text(message: Message) -> bool:
    """Whether the text of the mail is not made from its page. Some programs add an empty one to a page."""
    return not message.html or any(
        part.content_type == "text/plain" and part.disposition != "attachment" and not part.name and part.data.strip()
        for part in message.parts
    )


def _lines(text: str) -> list[str]:
    return [line[:MAX_LENGTH].translate(_UNSEEN).strip() for line in islice(StringIO(text), MAX_LINES)]


def _first(lines: Sequence[str]) -> str:
    """Return the first line that is not empty as it is read; others are not made readable, which can take long."""
    first = next(filter(None, map(_readable, lines)), "")
    return "" if _is_quoted(first) else first


def _readable(line: str) -> str:
    return " ".join(normalize("NFKC", line)[:MAX_LENGTH].split())


def _below_quote(lines: Sequence[str]) -> str:
    """Return the first line below the quote with which the answer begins; what stands between quotes is no command.

    What follows the quote without an empty line may be the rest of a quoted line, which an old program wrapped.
    """
    quoted = [number for number, line in enumerate(lines) if _is_quoted(line)]
    if not quoted or not _only_introduces("\n".join(lines[: quoted[0]]).strip()):
        return ""
    quote, below = lines[quoted[0] : quoted[-1] + 1], lines[quoted[-1] + 1 :]
    is_whole = all(not line or _is_quoted(line) for line in quote)
    return _first(below) if is_whole and below and not below[0] else ""


def _only_introduces(above: str) -> bool:
    return not above or ("\n\n" not in above and _INTRODUCTION.fullmatch(above) is not None)


def _is_quoted(line: str) -> bool:
    return line.startswith(">")
