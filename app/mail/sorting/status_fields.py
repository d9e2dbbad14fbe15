"""Values of the fields of a delivery status (RFC 3464 section 2): their types taken off, what is encoded decoded."""

import re

from app.domain.text import one_line, shorten
from app.mail.reading.parameters import without_comments

MAX_ADDRESS = 320  # characters; RFC 5321 section 4.5.3.1: 64, the @, and 255
MAX_REPLY = 500  # characters that go to the journal; Gmail's and Microsoft's explain themselves at this length
_TYPE = re.compile(r"\s*[A-Za-z0-9-]{1,40}\s*;")  # section 2.1.2; RFC 3461 and others call it rfc822, smtp, dns, x-unix
_XTEXT = re.compile(r"\+(2B|3D)")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
# RFC 3463 section 2. No part of an IP address or of a longer version number, and "5.1.1." may end a sentence.
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_SAYS_NOTHING = re.compile(r"[245]\.0\.0")


def address_in(value: str) -> str:
    """Return the address of a Final-Recipient or Original-Recipient.

    RFC 3461 section 4 encodes "+" and "=" as "+2B" and "+3D" in what we write (ORCPT), and some servers forget to
    decode it. Nothing else in an address looks encoded: "ops+41@" is the address that it seems to be.
    RFC 6533 section 3: \\x{E9} is a character that is not ASCII.
    """
    address = untyped(value)
    if not address.startswith('"'):
        address = address.partition(" ")[0]  # a comment, or a name of no standard
    address = _UNITEXT.sub(_character, _XTEXT.sub(lambda found: chr(int(found[1], 16)), address.strip("<>")))
    return shorten(one_line(address), MAX_ADDRESS)


def untyped(value: str) -> str:
    """Return what stands behind the type and its semicolon."""
    found = _TYPE.match(value)
    return value[found.end() if found else 0 :].strip()


def words_in(text: str) -> str:
    """Return the words of a server in one line, white space of their layout collapsed."""
    return shorten(" ".join(one_line(text).split()), MAX_REPLY)


def host_in(value: str) -> str:
    """Return the name in a Remote-MTA, without what stands in brackets behind it."""
    return shorten(one_line(without_comments(untyped(value))).rstrip("."), MAX_ADDRESS)


def enhanced_in(text: str) -> str:
    """Return the first enhanced code of RFC 3463 in the text, "" for none."""
    found = _ENHANCED.search(text)
    return found[0] if found else ""


def status_of(status: str, words: str) -> str:
    """Return what is known of the reason: a Status of no meaning gives way to the code in the server's words.

    Exim and others write 5.0.0 whatever the server said.
    """
    told, said = enhanced_in(status), enhanced_in(words)
    is_of_use = told and not _SAYS_NOTHING.fullmatch(told)
    return said if said and not is_of_use and said[0] == (told or said)[0] else told


def _character(found: re.Match[str]) -> str:
    point = int(found[1], 16)
    # one_line() drops what is no character for people: surrogates and controls.
    return chr(point) if point <= 0x10FFFF else found[0]
