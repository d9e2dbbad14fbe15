"""Encoded words in header fields (RFC 2047) to text: by the rules, and where senders break them. Never raises."""

import re
from binascii import a2b_qp
from collections.abc import Iterator
from itertools import islice

from app.domain.charset import Decoded
from app.mail.reading.base64_octets import decode_base64
from app.mail.reading.charsets import read_text

# RFC 2047 section 2, but longer than 75 characters, with white space inside and with "?" in the text, as some
# programs send them. The text ends before the next "=?" at the latest, so that nothing is gone through twice.
_WORD = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?([^?=]*+(?:(?:\?(?!=)|=(?!\?(?!=)))[^?=]*+)*+)\?=")

MAX_WORDS = 2000  # of one text; those of full length fill a field of 150,000 octets. What follows stays as it is


def decode_words(text: str, hint: str = "") -> Decoded:
    """Return `text` with its encoded words decoded, those that are none as they stand, and the defects.

    White space between two words is no part of the text (section 6.2). Adjacent words of one charset are decoded
    together: many programs split a character across two, though section 5 forbids it. `hint` is the codec of words
    whose charset is not known, "" for no idea.
    """
    if "=?" not in text:
        return Decoded(text)
    pieces: list[str] = []
    defects: dict[str, None] = {}
    for words, between in _runs(text):
        decoded = read_text(b"".join(map(_octets, words)), _charset(words[0]), hint=hint) if words else Decoded("")
        defects.update(dict.fromkeys(decoded.warnings))
        pieces += (decoded.text, between)
    return Decoded("".join(pieces), tuple(defects))


def _runs(text: str) -> Iterator[tuple[list[re.Match[str]], str]]:
    """Yield words that are decoded together, and what stands behind them; the first time perhaps no word."""
    words: list[re.Match[str]] = []
    end = 0
    for word in islice(_WORD.finditer(text), MAX_WORDS):
        between = text[end : word.start()]
        is_adjacent = bool(words) and not between.strip()
        if not (is_adjacent and _charset(word) == _charset(words[-1])):
            yield words, "" if is_adjacent else between
            words = []
        words.append(word)
        end = word.end()
    yield words, text[end:]


def _charset(word: re.Match[str]) -> str:
    return word[1].partition("*")[0].lower()  # RFC 2231 section 5: a language may follow


def _octets(word: re.Match[str]) -> bytes:
    data = word[3].encode(errors="replace")
    if word[2] in "bB":
        return decode_base64(data)[0]
    return a2b_qp(data, header=True)  # section 4.2: "_" is a space
