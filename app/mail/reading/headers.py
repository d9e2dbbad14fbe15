"""The header fields of a mail or of one of its parts: as they came, and decoded when somebody asks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from app.domain.address import Mailbox
from app.domain.text import one_line
from app.mail.reading.addresses import read_mailboxes
from app.mail.reading.charsets import read_text
from app.mail.reading.encoded_words import decode_words

MAX_ADDRESS_FIELDS = 100  # of one name; RFC 5322 section 3.6 allows one, and each may hold a thousand mailboxes
_LINE_END = re.compile(r"\r?\n")
_IDENTIFIER = re.compile(r"<[^<>\s]{1,998}>")  # RFC 5322 section 3.6.4, within a line of section 2.1.1


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field. `raw` is what stands behind the colon, folded as it came."""

    name: str
    raw: bytes = field(repr=False)

    def unfolded(self, hint: str = "") -> str:
        """Return the field body in one line, encoded words left as they are (RFC 5322 section 2.2.3).

        `hint` is the codec of octets that are not ASCII, where they are not UTF-8 (RFC 6532).
        """
        return _LINE_END.sub("", read_text(self.raw, hint=hint).text).strip()

    def text(self, hint: str = "") -> str:
        """Return the field body as people read it, in one line."""
        return one_line(decode_words(self.unfolded(hint), hint).text)


@dataclass(frozen=True, slots=True)
class Headers:
    """Fields in the order of the mail; names are found in either case.

    `hint` is the codec of the part's text, or of the whole mail: old programs use it for raw octets in headers too.
    """

    fields: tuple[HeaderField, ...] = field(default=(), repr=False)
    hint: str = ""

    def raw(self, name: str) -> str:
        """Return the first field of that name in one line, not decoded; "" for none."""
        return next((found.unfolded(self.hint) for found in self._named(name)), "")

    def text(self, name: str) -> str:
        """Return the first field of that name as people read it, in one line; "" for none."""
        return next((found.text(self.hint) for found in self._named(name)), "")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all fields of that name as people read them."""
        return tuple(found.text(self.hint) for found in self._named(name))

    def mailboxes(self, name: str) -> tuple[Mailbox, ...]:
        """Return the mailboxes of the fields of that name, of the first MAX_ADDRESS_FIELDS at most."""
        fields = islice(self._named(name), MAX_ADDRESS_FIELDS)
        return tuple(chain.from_iterable(read_mailboxes(each.unfolded(self.hint), self.hint) for each in fields))

    def identifiers(self, name: str) -> tuple[str, ...]:
        """Return the Message-IDs in the first field of that name, each with its angle brackets."""
        return tuple(_IDENTIFIER.findall(self.raw(name)))

    def count(self, name: str) -> int:
        """Return how many fields have that name."""
        return sum(1 for _ in self._named(name))

    def _named(self, name: str) -> Iterator[HeaderField]:
        wanted = name.lower()
        return (found for found in self.fields if found.name.lower() == wanted)
