"""Counts failures by address, a minute at a time, in bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

WINDOW_SECONDS = 60.0
MAX_ADDRESSES = 4096  # at about 300 bytes each; whoever has more addresses than that needs no limit to get around


@dataclass(slots=True)
class _Window:
    """The minute that began with the first failure (monotonic seconds), and how many fell into it."""

    began: float
    number: int = 0


class Failures:
    """How often something failed for an address lately. Those that failed longest ago are forgotten first."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def count(self, address: str, now: float) -> int:
        """Count one more; return how many that makes in this minute. `now` is monotonic."""
        key = network_of(address)
        window = self._current(key, now)
        if window is None:
            window = self._windows[key] = _Window(now)
        window.number += 1
        self._windows.move_to_end(key)
        if len(self._windows) > MAX_ADDRESSES:
            self._windows.popitem(last=False)
        return window.number

    def number(self, address: str, now: float) -> int:
        """Return how many there are in this minute."""
        window = self._current(network_of(address), now)
        return window.number if window else 0

    def ends_in(self, address: str, now: float) -> timedelta:
        """Return when the minute of this address is over."""
        window = self._current(network_of(address), now)
        return timedelta(seconds=window.began + WINDOW_SECONDS - now if window else 0)

    def _current(self, key: str, now: float) -> _Window | None:
        window = self._windows.get(key)
        return window if window is not None and now < window.began + WINDOW_SECONDS else None


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64, for a single machine has all addresses of it (RFC 6177)."""
    try:
        parsed = ip_address(address.partition("%")[0])  # RFC 4007 section 11: a zone may follow
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:  # RFC 4291 section 2.5.5.2: a client of IPv4 at a socket for both
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed, 64), strict=False))
