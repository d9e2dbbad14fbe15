"""The headers that put a mail of ours behind the one that it answers. They repeat what a stranger wrote."""

import re
from collections.abc import Iterable

from app.domain.answered import Answered
from app.mail.headers import FOLD

MAX_REFERENCES = 20  # beside the mail that is answered: readers need the root and the last ones
# RFC 5322 section 3.6.4, without comments and white space. Real ones have up to 100 characters, and each has a line
# to itself (section 2.1.1: 998). Not "=?", which many readers take for an encoded-word.
_IDENTIFIER = re.compile(r"(?!.*=\?)<[!-;=?-~]{1,250}>")


def answering(answered: Answered) -> str:
    """Return In-Reply-To and References, CRLF included; what is no Message-ID is left out, without any both are."""
    parent = _sound([answered.message_id])
    before = [identifier for identifier in _sound(answered.references) if identifier not in parent]
    chain = [*before[:1], *before[1:][1 - MAX_REFERENCES :], *parent]
    in_reply_to = f"In-Reply-To: {parent[0]}\r\n" if parent else ""
    return in_reply_to + (f"References: {FOLD.join(chain)}\r\n" if chain else "")


def _sound(identifiers: Iterable[str]) -> list[str]:
    return [identifier for identifier in identifiers if _IDENTIFIER.fullmatch(identifier)]
