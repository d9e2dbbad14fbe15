"""Parameters of MIME header fields, whose values can be any text (RFC 2045 section 5.1, RFC 2231)."""

from urllib.parse import quote

from app.domain.text import one_line
from app.mail.headers import FOLD, MAX_LINE, QUOTABLE

_CHARSET = "utf-8''"  # RFC 2231 section 4: charset, and the language left out


def parameter(name: str, value: str) -> str:
    """Return `; name=value` on lines of its own, `name` being a short token."""
    value = one_line(value)
    if QUOTABLE.fullmatch(value):
        return f';{FOLD}{name}="{value}"'
    first, *more = _sections(value, room=MAX_LINE - len(f" {name}*00*=;"))
    if not more:
        return f";{FOLD}{name}*={first}"
    # RFC 2231 sections 3 and 4.1: the charset stands in the first section only.
    return "".join(f";{FOLD}{name}*{number}*={section}" for number, section in enumerate((first, *more)))


def _sections(value: str, *, room: int) -> list[str]:
    """Return `value` percent-encoded in sections of up to `room` columns.

    No character is cut: some readers decode each section by itself.
    """
    sections = [_CHARSET]
    for character in value:
        # What quote() leaves as it is, RFC 2231 section 7 allows.
        octets = quote(character, safe="")
        if len(sections[-1]) + len(octets) > room:
            sections.append("")
        sections[-1] += octets
    return sections
