"""JSON from the wire: read fast when it is right, repaired when the damage is small, refused when broken."""

import json
import re
import sys

from pydantic_core import from_json

from app.domain.charset import codec_of, decode
from app.domain.errors import MailAlertError

MAX_DEPTH = 200  # what the fast parser takes; monitoring tools nest below ten
REPAIRED = "the JSON was repaired: it held control characters or lone surrogates in strings, or endless numbers"

# Each escape as a whole, so that an escaped backslash is never taken for the begin of one (RFC 8259 section 7).
_ESCAPE = re.compile(
    r"""\\(?: u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}  # a surrogate pair
          | (?P<lone> u[dD][89a-fA-F][0-9a-fA-F]{2} )
          | . )""",
    re.VERBOSE | re.DOTALL,
)


class BrokenJson(MailAlertError):
    """The body is no JSON; the message says where it breaks."""


def read_json(body: bytes, charset: str = "") -> tuple[object, tuple[str, ...]]:
    """Return the value that `body` holds, and warnings of what was repaired.

    Bad bytes, a byte order mark, raw control characters in strings, lone surrogates and endless integers
    are repaired. Of a name that comes twice in an object the last counts (RFC 8259 section 4 leaves it
    open). Raises BrokenJson, also when it nests too deep.
    """
    if codec_of(charset) == "utf_8":
        try:
            return from_json(body), ()
        except ValueError:
            pass
    return _read_damaged(body, charset)


def _read_damaged(body: bytes, charset: str) -> tuple[object, tuple[str, ...]]:
    decoded = decode(body, charset, errors="replace")
    try:
        return from_json(decoded.text), decoded.warnings
    except ValueError:
        text = _ESCAPE.sub(_without_lone_surrogate, decoded.text)
        return _read_leniently(text), (*decoded.warnings, REPAIRED)


def _without_lone_surrogate(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape["lone"] else escape[0]


def _read_leniently(text: str) -> object:
    try:
        value: object = json.loads(text, strict=False, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise BrokenJson(f"Broken JSON at line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        value = None
    else:
        if not _is_deeper(value, MAX_DEPTH):
            return value
    raise BrokenJson(f"The JSON nests deeper than {MAX_DEPTH} levels.")


def _integer(digits: str) -> int | str:
    """Python refuses to convert more digits than this (quadratic time); they stay text."""
    return int(digits) if len(digits) <= sys.int_info.default_max_str_digits else digits


def _is_deeper(value: object, levels: int) -> bool:
    level = [value]
    for _ in range(levels + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
