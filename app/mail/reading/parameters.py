"""Content-Type and Content-Disposition: a value and its parameters (RFC 2045 section 5.1, RFC 2231). Never raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from app.domain.text import one_line
from app.mail.reading.charsets import read_text
from app.mail.reading.encoded_words import decode_words

# A value without quotes may hold spaces, and one with quotes may lack the second, as some programs write them.
_PARAMETER = re.compile(r';\s*+([^\s=;"]{1,80})\s*+=\s*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|([^;]*+))', re.DOTALL)
# RFC 2231 sections 3 and 4: name, section, and the sign that the section is percent-encoded. Four digits are plenty.
_EXTENDED_NAME = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*?)")
# Only these two: a path of Windows between quotes has backslashes that escape nothing.
_QUOTED_PAIR = re.compile(r'\\([\\"])')
_COMMENT_PIECE = re.compile(r"\\.?|[()]|[^()\\]++", re.DOTALL)
MAX_PARAMETERS = 1000  # a file name in many sections has dozens


@dataclass(frozen=True, slots=True)
class Parametrised:
    """What stands before the first semicolon, in lower case, and the parameters by names in lower case."""

    value: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Section:
    number: int
    is_encoded: bool
    text: str


def without_comments(text: str) -> str:
    """Return a field body that holds no text of people without its comments (RFC 5322 section 3.2.2), which nest."""
    if "(" not in text:
        return text.strip()
    outside: list[str] = []
    depth = 0
    for piece in _COMMENT_PIECE.findall(text):
        if piece == "(":
            depth += 1
        elif depth == 0:
            outside.append(piece)
        elif piece == ")":
            depth -= 1
            outside.append(" ")
    return "".join(outside).strip()


def read_parameters(text: str, hint: str = "") -> Parametrised:
    """Return the unfolded field body taken apart. Of two parameters by one name the first one counts.

    A name in sections or with a charset outweighs a plain one, which is there for readers that know no RFC 2231.
    Encoded words in a plain one are decoded, which RFC 2047 section 5 forbids and many programs send. `hint` is the
    codec of names whose charset is not known, "" for no idea.
    """
    plain: dict[str, str] = {}
    extended: dict[str, list[_Section]] = {}
    for count, found in enumerate(_PARAMETER.finditer(text)):
        if count == MAX_PARAMETERS:
            break
        name = found[1].lower()
        value = found[3].strip() if found[2] is None else _QUOTED_PAIR.sub(r"\1", found[2])
        parts = _EXTENDED_NAME.fullmatch(name)
        if parts and "*" in name:
            section = _Section(int(parts[2] or 0), bool(parts[3]), value)
            extended.setdefault(parts[1], []).append(section)
        else:
            plain.setdefault(name, value)
    parameters = {name: one_line(decode_words(value, hint).text) for name, value in plain.items()}
    parameters.update((name, one_line(_joined(sections, hint))) for name, sections in extended.items())
    return Parametrised(text.partition(";")[0].strip().lower(), parameters)


def _joined(sections: list[_Section], hint: str) -> str:
    """Return the sections in their order as one text, as far as none is missing (RFC 2231 section 3)."""
    by_number: dict[int, _Section] = {}
    for section in sections:
        by_number.setdefault(section.number, section)
    charset = ""
    texts: list[str] = []
    octets = bytearray()  # of adjacent sections, because a character may be split between two
    for number in range(len(by_number)):
        if number not in by_number:
            break
        section = by_number[number]
        text = section.text
        if section.is_encoded:
            if number == 0 and text.count("'") >= 2:  # section 4: charset, language, value
                charset, _, text = text.split("'", 2)
            octets += unquote_to_bytes(text.encode(errors="replace"))
        else:
            texts += (read_text(bytes(octets), charset, hint=hint).text, text)
            octets.clear()
    texts.append(read_text(bytes(octets), charset, hint=hint).text)
    return "".join(texts)
