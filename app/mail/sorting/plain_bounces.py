"""Reports on the delivery of a mail that follow no standard: who did not get it, and what was said of that."""

import logging
import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from itertools import chain, islice

from flufl.bounce import all_failures

from app.domain.bounce import BouncedRecipient, BounceKind
from app.mail.reading.message import Message
from app.mail.sorting.report_words import BEGINNINGS, DELAYED, FAILED
from app.mail.sorting.status_fields import MAX_ADDRESS, enhanced_in, words_in

# The library goes over each line some sixty times, by patterns that take the square of its length. Reports say all
# that they have to say at their beginning, in lines for people. So it takes half a second at worst.
MAX_BYTES = 32 * 1024
MAX_LINE = 250  # bytes
MAX_PARTS = 50  # the library goes into each by recursion
MAX_RECIPIENTS = 100
MAX_TEXT = 64 * 1024  # characters in which words are looked for
_MAX_WORDS = 2000  # characters that are taken for the words about one address
MAX_PLACES = 10  # of one address in the text
_CODE = re.compile(r"(?<![\d.])[45]\d\d(?![\d.])")  # RFC 5321 section 4.2
_OVERLONG = re.compile(rb"([^\n]{%d})[^\n]+" % MAX_LINE)
_BLANK_LINE = re.compile(r"\n[>| \t]*\n")
_AROUND_ADDRESS = " \t\r\n<>:()\"'"


def has_subject_of_a_report(message: Message) -> bool:
    """Tell whether the subject is that of a report; that of an answer to one begins with "Re:"."""
    return BEGINNINGS.match(message.subject) is not None


def plain_recipients(message: Message, data: bytes) -> tuple[BouncedRecipient, ...]:
    """Return the recipients that a report of any form names, nothing if it names none; `data` are its octets."""
    if len(message.parts) > MAX_PARTS:
        return ()
    octets = _OVERLONG.sub(rb"\1", data[:MAX_BYTES].replace(b"\r\n", b"\n"))
    delayed, failed = _ask_library(octets if _suits_library(message, octets) else _in_plain(message))
    kinds = dict.fromkeys(delayed, BounceKind.DELAYED) | dict.fromkeys(failed, BounceKind.FAILED)
    text = message.text[:MAX_TEXT]
    return tuple(_recipient(address, kinds[address], text) for address in islice(sorted(kinds), MAX_RECIPIENTS))


def nameless_recipient(message: Message) -> tuple[BouncedRecipient, ...]:
    """Return what a report says that names nobody: it is about the only recipient, or about none that is known."""
    told = f"{message.subject}\n{message.text[:_MAX_WORDS]}"
    if DELAYED.search(told):
        return (BouncedRecipient(kind=BounceKind.DELAYED, status=enhanced_in(told)),)
    if FAILED.search(told):
        return (BouncedRecipient(kind=BounceKind.FAILED, status=enhanced_in(told)),)
    return ()


def _ask_library(octets: bytes) -> tuple[list[str], list[str]]:
    """Return the addresses that are delayed, and those that failed."""
    # It logs each exception of its programs, with a traceback that holds parts of the mail.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    try:
        mail = message_from_bytes(octets)
        if "From" not in mail:
            mail["From"] = "nobody"  # one of the library's programs raises without it
        delayed, failed = all_failures(mail)
    except Exception:  # noqa: BLE001  # it goes into mails by recursion, and none of its programs expects any octets
        return [], []
    return _addresses(delayed), _addresses(failed)


def _addresses(found: Iterable[bytes]) -> list[str]:
    addresses = (address.decode("ascii", errors="replace").strip(_AROUND_ADDRESS) for address in found)
    return [address for address in addresses if "@" in address and address.isprintable() and len(address) < MAX_ADDRESS]


def _suits_library(message: Message, octets: bytes) -> bool:
    """Whether the library would read the octets as they are.

    It decodes nothing, and makes a mail of every empty line of a delivery status, wherever that is.
    """
    encodings = {part.headers.raw("Content-Transfer-Encoding").lower() for part in message.parts}
    return encodings.isdisjoint({"base64", "quoted-printable"}) and b"message/delivery-status" not in octets.lower()


def _in_plain(message: Message) -> bytes:
    """Return the mail as one plain text, with the headers that the library looks at. Its patterns are ASCII."""
    names = ("From", "Subject", "X-Failed-Recipients", "X-Mailer")
    fields = [f"{name}: {message.headers.text(name)}" for name in names if message.headers.count(name)]
    lines = "\n".join([*fields, "", message.text[:MAX_BYTES]])
    return _OVERLONG.sub(rb"\1", lines.encode("ascii", errors="replace"))


def _recipient(address: str, kind: BounceKind, text: str) -> BouncedRecipient:
    words = _words_about(address, text)
    return BouncedRecipient(kind=kind, address=address, status=enhanced_in(words), reply=words)


def _words_about(address: str, text: str) -> str:
    """Return the paragraph behind the address: where it stands more than once, one that holds a code."""
    places = list(islice(_ends_of(address, text), MAX_PLACES))
    paragraphs = [_paragraph(text[place : place + _MAX_WORDS]) for place in places]
    at_line_start = [
        words for place, words in zip(places, paragraphs, strict=True) if _begins_line(text, place, address)
    ]
    with_code = filter(_CODE.search, paragraphs)
    return next(chain(with_code, at_line_start, paragraphs), "")


def _ends_of(address: str, text: str) -> Iterator[int]:
    """Yield where the address ends in the text, in whatever case it is written. No pattern: it would take long."""
    wanted, lowered = address.lower(), text.lower()
    place = lowered.find(wanted)
    while place >= 0:
        yield place + len(wanted)
        place = lowered.find(wanted, place + len(wanted))


def _paragraph(text: str) -> str:
    """Return the first one; of an address that has its own, that is the next."""
    return words_in(_BLANK_LINE.split(text.lstrip(_AROUND_ADDRESS), 1)[0])


def _begins_line(text: str, end: int, address: str) -> bool:
    """Whether nothing stands before the address that ends there, as it does in "To:" and in sentences."""
    start = end - len(address)
    return not text[text.rfind("\n", 0, start) + 1 : start].strip(_AROUND_ADDRESS)
