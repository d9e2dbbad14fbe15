"""The receiver: people who get their mails together, under one name."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.address import Mailbox
from app.domain.alert import Severity

DEFAULT_RECEIVER = "default"  # who gets what no route leads elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is mailed and how: openly, as a copy, or unseen by the others; answers go to `reply_to`.

    Alerts below `minimum_severity` do not reach it, firing or resolved.
    """

    name: str
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: Mailbox | None = None
    minimum_severity: Severity = Severity.INFO

    @property
    def recipients(self) -> tuple[Mailbox, ...]:
        """Everybody in the order to, cc, bcc."""
        return self.to + self.cc + self.bcc

    @property
    def takes_all(self) -> bool:
        """Whether alerts of every severity reach it."""
        return self.minimum_severity is Severity.INFO

    def takes(self, severity: Severity) -> bool:
        """Tell whether alerts of this severity reach it."""
        return severity.rank >= self.minimum_severity.rank


def each_once(*lists: Iterable[Mailbox]) -> tuple[tuple[Mailbox, ...], ...]:
    """Return the lists without the addresses that stood in them before: nobody gets one mail twice.

    Addresses count as the same whatever their case: no system that is in use tells them apart.
    """
    seen: set[str] = set()
    return tuple(tuple(mailbox for mailbox in mailboxes if _is_new(mailbox, seen)) for mailboxes in lists)


def _is_new(mailbox: Mailbox, seen: set[str]) -> bool:
    address = mailbox.address.lower()
    if address in seen:
        return False
    seen.add(address)
    return True
