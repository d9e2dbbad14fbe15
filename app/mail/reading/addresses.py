"""Address lists of header fields (RFC 5322 section 3.4), as programs write them. Never raises."""

import re
from collections.abc import Iterator
from itertools import islice

from app.domain.address import Mailbox
from app.domain.text import one_line
from app.mail.reading.encoded_words import decode_words

MAX_MAILBOXES = 1000  # of one field; RFC 5321 section 4.5.3.1.8 asks a server to take 100 recipients
MAX_TOKENS = 20 * MAX_MAILBOXES  # names, signs and comments; five make an ordinary mailbox
_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|(<)([^>]*+)>?|([(),:;])|((?:[^"<(),:;\\]|\\.?)++)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_MAX_ENCODED = 1000  # characters; one mailbox, as programs that encode all of it write it
_ROUTE = re.compile(r"^@[^:]*:")  # section 4.4, obsolete: <@relay:name@host>
_WHITE_SPACE = re.compile(r"\s+")
_QUOTED_LOCAL = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")(\s*+@.*)', re.DOTALL)  # section 3.4.1: "b c"@host


def read_mailboxes(text: str, hint: str = "") -> tuple[Mailbox, ...]:
    """Return the mailboxes of an unfolded field body, groups resolved into their members.

    What stands there without an address is left out, a local name (`root`) is one. An address is not proved to be
    valid; it is one line, and a name is decoded. `hint` is the codec of names whose charset is not known, "" for no
    idea. Some programs encode the address with the name, against RFC 2047 section 5: it is found where no other is.
    """
    mailboxes = _mailboxes(text, hint)
    if not mailboxes and "=?" in text and len(text) <= _MAX_ENCODED:
        return _mailboxes(decode_words(text, hint).text, hint)
    return mailboxes


def _mailboxes(text: str, hint: str) -> tuple[Mailbox, ...]:
    mailboxes: list[Mailbox] = []
    for entry in _entries(text):
        mailbox = entry.mailbox(hint)
        if mailbox is not None:
            mailboxes.append(mailbox)
            if len(mailboxes) == MAX_MAILBOXES:
                break
    return tuple(mailboxes)


class _Entry:
    """What stands between two commas."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.source: list[str] = []  # the same with quotation marks and white space as they stand
        self.comments: list[str] = []
        self.address: str | None = None

    def mailbox(self, hint: str) -> Mailbox | None:
        """Return it as a mailbox, None if it holds no address."""
        if self.address is not None:
            address = _ROUTE.sub("", _address(self.address))
            phrase = _name(" ".join(self.words), hint) or self._comment(hint)
            return Mailbox(address=address, name=phrase) if address else None
        address = one_line(" ".join(self.words))
        is_quoted = "@" in address and self.source[0].startswith('"')
        if "@" in address:
            address = _address("".join(self.source))
        if not address or (" " in address and not is_quoted) or address.startswith("=?"):
            return None
        return Mailbox(address=address, name=self._comment(hint))  # RFC 822: root@host (Cron Daemon)

    def _comment(self, hint: str) -> str:
        return _name(_QUOTED_PAIR.sub(r"\1", "".join(self.comments)), hint)


def _entries(text: str) -> Iterator[_Entry]:
    tokens = [found.groups("") for found in islice(_TOKEN.finditer(text), MAX_TOKENS)]
    signs = [sign for _, _, _, sign, _ in tokens]
    has_comments = signs.count("(") <= signs.count(")")  # one without an end would hide the address behind it
    entry = _Entry()
    depth = 0  # of comments, which nest
    for quoted, angle, address, sign, word in tokens:
        if depth or (sign == "(" and has_comments):
            depth += {"(": 1, ")": -1}.get(sign, 0)
            inside = depth and not (sign == "(" and depth == 1)
            if inside:
                entry.comments.append(sign or word or quoted or address)
        elif angle:
            entry.address = address if entry.address is None else entry.address
        elif sign in {",", ";"}:
            if entry.words or entry.address is not None:
                yield entry
            entry = _Entry()
        elif sign == ":":  # section 3.4: the name of a group came before it
            entry = _Entry()
        elif word.strip() or quoted:
            entry.words.append(" ".join(word.split()) or _QUOTED_PAIR.sub(r"\1", quoted))
            entry.source.append(word or f'"{quoted}"')
    yield entry


def _address(text: str) -> str:
    """Return the address without white space around its signs (section 4.4, obsolete); between quotes it stays."""
    quoted = _QUOTED_LOCAL.fullmatch(text.strip())
    local, rest = quoted.groups() if quoted else ("", text)
    return one_line(local + _WHITE_SPACE.sub("", rest))


def _name(text: str, hint: str) -> str:
    return one_line(decode_words(text, hint).text)
