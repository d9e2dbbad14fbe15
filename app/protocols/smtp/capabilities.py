"""What a server can do, as its reply to EHLO says."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The extensions that the client makes use of. All off: a server that knows only HELO."""

    pipelining: bool = False  # RFC 2920
    starttls: bool = False  # RFC 3207
    size: bool = False  # RFC 1870
    size_limit: int | None = None  # bytes; None: no fixed limit
    auth: tuple[str, ...] = ()  # RFC 4954: the mechanisms, upper case


NO_CAPABILITIES = Capabilities()


def parse_capabilities(lines: Iterable[str]) -> Capabilities:
    """Return the capabilities in the `lines` of an EHLO reply, the first of which only greets."""
    found: dict[str, list[str]] = {}
    for line in list(lines)[1:]:
        # Servers older than RFC 4954 write "AUTH=LOGIN PLAIN"; some write both forms.
        keyword, *parameters = line.upper().replace("AUTH=", "AUTH ", 1).split() or [""]
        found.setdefault(keyword, []).extend(parameters)
    return Capabilities(
        pipelining="PIPELINING" in found,
        starttls="STARTTLS" in found,
        size="SIZE" in found,
        size_limit=_size_limit(found.get("SIZE", [])),
        auth=tuple(dict.fromkeys(found.get("AUTH", []))),
    )


def _size_limit(parameters: list[str]) -> int | None:
    # RFC 1870 section 4: at most 20 digits; 0 or none means no fixed limit.
    digits = parameters[0] if parameters else ""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 20:
        return None
    return int(digits) or None
