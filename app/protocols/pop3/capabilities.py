"""What a POP3 server can do, as its answer to CAPA says."""

import re
from dataclasses import dataclass

from app.protocols.pop3.reply import readable

_SECONDS = re.compile(r"[0-9]{1,9}")  # 30 years


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the client makes use of. As it stands: a server from before CAPA, of which anything may be tried."""

    pipelining: bool = False  # RFC 2449 section 6.6
    stls: bool = False  # RFC 2595 section 4
    sasl: tuple[str, ...] = ()  # RFC 5034: the mechanisms, upper case
    user: bool = True  # USER and PASS
    top: bool = True
    login_delay_s: int = 0  # RFC 2449 section 6.5: the least time between two logins; 0 where none is announced


NO_CAPABILITIES = Capabilities()


def parse_capabilities(content: bytes) -> Capabilities:
    """Return the capabilities in the lines behind the +OK of CAPA."""
    found: dict[str, list[str]] = {}
    for line in content.split(b"\r\n"):
        keyword, *parameters = readable(line).upper().split() or [""]
        found.setdefault(keyword, []).extend(parameters)
    return Capabilities(
        pipelining="PIPELINING" in found,
        stls="STLS" in found,
        sasl=tuple(dict.fromkeys(found.get("SASL", []))),
        # RFC 2449 section 6.2 has a server say so; one that tells of no way to log in at all forgot to.
        user="USER" in found or "SASL" not in found,
        top="TOP" in found,
        login_delay_s=_login_delay_s(found.get("LOGIN-DELAY", [])),
    )


def _login_delay_s(parameters: list[str]) -> int:
    """Return the seconds; behind them USER may stand: then it may be another number once the user is known."""
    return int(parameters[0]) if parameters and _SECONDS.fullmatch(parameters[0]) else 0
