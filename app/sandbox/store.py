"""The mails that the sandbox keeps: in memory, the newest ones, bounded in number and in bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from app.sandbox.preview import Heading, read_heading
from app.smtpd.mail import ReceivedMail

MAX_MAILS = 500
MAX_BYTES = 67_108_864  # 64 MiB: 500 mails with a log of 128 KiB each


@dataclass(frozen=True)  # without slots: cached_property needs a place
class KeptMail:
    """A mail under the number that it came in with, counted from 1."""

    number: int
    mail: ReceivedMail

    @cached_property
    def heading(self) -> Heading:
        """What a list shows of it: read once, and only when somebody looks."""
        return read_heading(self.mail.data)


class SandboxStore:
    """Keeps the newest mails; older ones go when there is no room. The newest always stays."""

    def __init__(self, *, max_mails: int = MAX_MAILS, max_bytes: int = MAX_BYTES) -> None:
        self._max_mails = max_mails
        self._max_bytes = max_bytes
        self._mails: OrderedDict[int, KeptMail] = OrderedDict()
        self._bytes = 0
        self.received = 0  # mails that have come in, those that are gone included

    def __len__(self) -> int:
        return len(self._mails)

    def add(self, mail: ReceivedMail) -> KeptMail:
        """Keep `mail`, and let go of what it displaces."""
        self.received += 1
        kept = self._mails[self.received] = KeptMail(self.received, mail)
        self._bytes += len(mail.data)
        while len(self) > 1 and (len(self) > self._max_mails or self._bytes > self._max_bytes):
            _, oldest = self._mails.popitem(last=False)
            self._bytes -= len(oldest.mail.data)
        return kept

    def get(self, number: int) -> KeptMail | None:
        """Return the mail with this number, None when it is gone or never came."""
        return self._mails.get(number)

    def newest_first(self) -> list[KeptMail]:
        """Return all mails that are kept."""
        return list(reversed(self._mails.values()))
