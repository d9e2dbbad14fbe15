"""Hides secrets in what comes back from where they were sent."""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_FRAGMENT = 6  # digits of base64; fewer are found in ordinary words


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with the secrets hidden: plain, percent-encoded as in a form, and in base64, alone or amid more."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret) if spelling}
    if not spellings:
        return text
    longest_first = sorted(spellings, key=len, reverse=True)  # so that no rest of a longer one stays
    # RFC 3986 section 2.1: the digits of a percent-encoding may be of either case.
    return re.sub("|".join(map(re.escape, longest_first)), MASK, text, flags=re.IGNORECASE)


def _spellings(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote_plus(secret))
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(secret.encode()).decode()
        fragments = (_amid_base64(secret.encode(), offset, encode) for offset in range(3))
        yield from (fragment for fragment in fragments if len(fragment) >= MIN_FRAGMENT)


def _amid_base64(secret: bytes, offset: int, encode: Callable[[bytes], bytes]) -> str:
    """Return the digits that the secret alone decides where it begins `offset` bytes behind a multiple of three."""
    digits = encode(bytes(offset) + secret).decode()
    # RFC 4648 section 4: a digit holds 6 bits.
    return digits[-(-offset * 8 // 6) : (offset + len(secret)) * 8 // 6]
