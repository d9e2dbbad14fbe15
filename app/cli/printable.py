"""Text of strangers on a terminal: nothing in it can move the cursor, colour, or turn words round.

Terminals take orders from what is printed (ECMA-48), some of them far-reaching, and a mail may hold any octets.
"""

import json
import re
import sys
from collections.abc import Iterable
from io import TextIOWrapper

from app.domain.text import REPLACEMENT, one_line

# U+0080 to U+009F begin sequences too, where a terminal knows the 8-bit forms (ECMA-48 section 5.3).
_ORDERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
# UAX #9: embeddings, overrides and isolates show "exe.jpg" for "gpj.exe". Arabic and Hebrew need none of them.
_TURNS = "\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[{_ORDERS}{_TURNS}]")


def printable(text: str) -> str:
    """Return running text that is safe to print; TAB and LF stay, a line end of CR and LF becomes LF."""
    return _UNSAFE.sub(REPLACEMENT, text.replace("\r\n", "\n"))


def printable_line(text: str) -> str:
    """Return `text` as one line that is safe to print, and that a TAB does not end."""
    return _UNSAFE.sub(REPLACEMENT, one_line(text))


def source_text(data: bytes) -> str:
    """Return octets as text that is safe to print, with what cannot be printed as an escape: `\\x1b`."""
    text = data.replace(b"\r\n", b"\n").decode(errors="backslashreplace")
    return _UNSAFE.sub(_escape, text)


def json_text(document: object) -> str:
    """Return `document` as JSON that is safe to print, and that means the same: RFC 8259 section 7."""
    return _UNSAFE.sub(_json_escape, json.dumps(document, ensure_ascii=False, indent=2))


def json_line(document: object) -> str:
    """Return the same on one line."""
    return _UNSAFE.sub(_json_escape, json.dumps(document, ensure_ascii=False))


def write_lines(lines: Iterable[str]) -> None:
    """Write to stdout, each line at once. What its encoding cannot hold becomes a question mark."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    for line in lines:
        print(line, flush=True)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
