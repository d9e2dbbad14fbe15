"""Who asks, and what they may do: scopes, and the people that a sender may name as recipients."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.address import Mailbox, folded


class Scope(StrEnum):
    """What a token opens."""

    SEND = "send"  # post alerts, and heartbeats
    READ = "read"  # look at alerts, dead letters, heartbeats, recipients that are set aside, and /metrics
    MANAGE = "manage"  # retry, drop, remove, acknowledge, release


ALL_SCOPES = frozenset(Scope)
# Of a local part that some servers read as another address to pass the mail on to (RFC 5321 appendix F.2):
# `somebody%elsewhere@here`, `elsewhere!somebody@here`, `"somebody@elsewhere"@here`.
ROUTING = frozenset("%!@")


@dataclass(frozen=True, slots=True)
class AllowedRecipients:
    """Addresses and whole domains, folded, to which a sender may address alerts itself; none by default."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> "AllowedRecipients":
        """Return what the entries allow: each an address, or a domain with or without an @ before it."""
        lowered = [folded(entry.strip()) for entry in entries]
        return cls(
            addresses=frozenset(entry for entry in lowered if "@" in entry[1:]),
            domains=frozenset(entry.removeprefix("@") for entry in lowered if "@" not in entry[1:]),
        )

    def include(self, mailbox: Mailbox) -> bool:
        """Tell whether mail may go there. A domain includes neither its subdomains nor ways through it elsewhere."""
        if folded(mailbox.address) in self.addresses:
            return True
        local = mailbox.address.removesuffix(f"@{mailbox.domain}")
        return folded(mailbox.domain) in self.domains and not ROUTING.intersection(local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sent a request, once that is proven. `name` is that of the token, "" where none is asked for.

    `fingerprint` is the SHA-256 of the token, b"" without one: keys of idempotency belong to it.
    `source` stands in for the source of alerts that name none.
    """

    name: str = ""
    scopes: frozenset[Scope] = ALL_SCOPES
    source: str = ""
    allowed_recipients: AllowedRecipients = AllowedRecipients()
    fingerprint: bytes = field(default=b"", repr=False)

    def may(self, scope: Scope) -> bool:
        """Tell whether this sender has the scope."""
        return scope in self.scopes
