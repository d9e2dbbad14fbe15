"""Whether a request may come from where it says: no DNS rebinding, nothing posted by a stranger's page."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1, without TRACE, which nobody needs
MAX_HOST = 255 + len(":65535")  # RFC 1035 section 3.1; longer ones are not worth a place in the cache
DEFAULT_PORTS = {"http": 80, "https": 443}
# W3C Fetch Metadata section 2.4. "same-site" is foreign too: another port of this host is another server.
OWN_SITES = frozenset({b"same-origin", b"none"})


def host_is_trusted(host: bytes, allowed_hosts: frozenset[str]) -> bool:
    """Tell whether the Host of a request is localhost, a loopback address or in `allowed_hosts` (lower case).

    The port does not matter: a page that rebinds its own name to this machine cannot forge the name.
    """
    return len(host) <= MAX_HOST and _is_trusted(host, allowed_hosts)


def is_foreign(host: bytes, origin: bytes | None, fetch_site: bytes | None) -> bool:
    """Tell whether a page of another origin sends this request, which is asked for those that change something.

    Browsers set Origin and Sec-Fetch-Site themselves, and no script can; curl and its like send neither.
    """
    if fetch_site is not None and fetch_site not in OWN_SITES:
        return True
    return origin is not None and not _is_own(origin, host)


@lru_cache(maxsize=256)
def _is_trusted(host: bytes, allowed_hosts: frozenset[str]) -> bool:
    parts = _split(f"//{host.decode('latin-1')}")
    if parts is None or not parts.hostname or parts.netloc != host.decode("latin-1") or parts.username is not None:
        return False
    name = parts.hostname.removesuffix(".")
    return name == "localhost" or name in allowed_hosts or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_own(origin: bytes, host: bytes) -> bool:
    """Compare host and port; the scheme differs behind a proxy that ends TLS. "null" (RFC 6454) is foreign."""
    theirs = _split(origin.decode("latin-1"))
    if theirs is None or theirs.scheme not in DEFAULT_PORTS:
        return False
    ours = _split(f"//{host.decode('latin-1')}")
    default = DEFAULT_PORTS[theirs.scheme]
    return (
        ours is not None
        and bool(ours.hostname)
        and ours.hostname == theirs.hostname
        and (ours.port or default) == (theirs.port or default)
    )


def _split(url: str) -> SplitResult | None:
    """Return the parts of `url`, or None where its host or port cannot be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here because a bad one raises only when asked for
    except ValueError:
        return None
    return parts
