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
    smtputf8: bool = False  # RFC 6531
    dsn: bool = False  # RFC 3461
    max_mails: int | None = None  # RFC 9422: for one session; None: it tells no limit
    max_recipients: int | None = None  # RFC 9422: of one mail


NO_CAPABILITIES = Capabilities()


def parse_capabilities(lines: Iterable[str]) -> Capabilities:
    """Return the capabilities in the `lines` of an EHLO reply, the first of which only greets."""
    found: dict[str, list[str]] = {}
    for line in list(lines)[1:]:
        # Servers older than RFC 4954 write "AUTH=LOGIN PLAIN"; some write both forms.
        keyword, *parameters = line.upper().replace("AUTH=", "AUTH ", 1).split() or [""]
        found.setdefault(keyword, []).extend(parameters)
    limits = dict(parameter.partition("=")[::2] for parameter in found.get("LIMITS", []))
    return Capabilities(
        pipelining="PIPELINING" in found,
        starttls="STARTTLS" in found,
        size="SIZE" in found,
        size_limit=_size_limit(found.get("SIZE", [])),
        auth=tuple(dict.fromkeys(found.get("AUTH", []))),
        smtputf8="SMTPUTF8" in found,
        dsn="DSN" in found,
        max_mails=_limit(limits.get("MAILMAX", "")),
        max_recipients=_limit(limits.get("RCPTMAX", "")),
    )


def _size_limit(parameters: list[str]) -> int | None:
    # RFC 1870 section 4: at most 20 digits; 0 or none means no fixed limit.
    return _number(parameters[0], max_digits=20) if parameters else None


def _limit(digits: str) -> int | None:
    return _number(digits, max_digits=6)  # RFC 9422 section 4: at most 6 digits, never 0


def _number(digits: str, *, max_digits: int) -> int | None:
    if not digits.isascii() or not digits.isdecimal() or len(digits) > max_digits:
        return None
    return int(digits) or None
