"""Which mails are asked for ahead, while others are still on their way."""

from collections.abc import Sequence

from app.protocols.pop3.listing import ListedMail

# Enough to keep a link of 100 ms busy with small mails, and few enough that the commands fit into one packet: a
# server that does not read while it sends must not block us (RFC 2449 section 6.6).
MAX_AHEAD = 100
MAX_AHEAD_BYTES = 1 << 20  # a large mail keeps the link busy by itself


class Window:
    """The mails that are wanted, in order; without `pipelining` one is asked for at a time."""

    def __init__(self, mails: Sequence[ListedMail], *, pipelining: bool) -> None:
        self._mails = mails
        self._most = MAX_AHEAD if pipelining else 1
        self._asked = 0
        self._taken = 0
        self._ahead_bytes = 0

    def next_batch(self) -> Sequence[ListedMail]:
        """Return what to ask for now: nothing until half of what was asked for has come, then as much as fits."""
        ahead = self._asked - self._taken
        if ahead > self._most // 2 or (ahead and self._ahead_bytes > MAX_AHEAD_BYTES // 2):
            return ()
        begun = self._asked
        end = min(len(self._mails), self._taken + self._most)
        while self._asked < end and (self._asked == self._taken or self._ahead_bytes < MAX_AHEAD_BYTES):
            self._ahead_bytes += self._mails[self._asked].size_bytes
            self._asked += 1
        return self._mails[begun : self._asked]

    def take(self) -> None:
        """Note that the next one has come."""
        self._ahead_bytes -= self._mails[self._taken].size_bytes
        self._taken += 1

    def ask_again(self) -> None:
        """Note that nothing is on its way any more: what was asked for and did not come was thrown away."""
        self._asked = self._taken
        self._ahead_bytes = 0
