"""How many connections a relay bears at once, found out by trying."""


class ConcurrencyLimit:
    """Additive increase, multiplicative decrease, as TCP does it (RFC 5681 section 3.1).

    A relay that never complains gets all the connections that are allowed.
    """

    def __init__(self, most: int) -> None:
        """Start with all of the `most` connections."""
        self._most = most
        self._limit = float(most)

    @property
    def allowed(self) -> int:
        """How many connections may send, at least one."""
        return int(self._limit)

    def succeeded(self) -> bool:
        """Note a mail that the relay took; return whether one more connection may send now."""
        before = self.allowed
        self._limit = min(self._most, self._limit + 1 / self._limit)
        return self.allowed > before

    def congested(self) -> None:
        """Note that the relay had enough: half of the connections may go on."""
        self._limit = max(1.0, self._limit / 2)

    def restart(self) -> None:
        """Begin with one connection: a relay that comes back must not get the whole queue at once."""
        self._limit = 1.0
