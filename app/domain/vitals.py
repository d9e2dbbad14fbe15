"""How the parts are just now, as health and alarms look at them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayVitals:
    """One relay: `usable` unless its breaker is open, then `reason` says why in words.

    `is_configuration`: somebody has to change something; waiting does not help.
    """

    name: str
    usable: bool
    reason: str = ""
    is_configuration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The state of the parts at one moment. Empty strings mean that all is well.

    `relay_fault` says why no mail could leave for `blocked_for`. `possibly_twice` counts the mails that the run
    before ended in the midst of.
    """

    closing: bool
    journal_fault: str
    relay_fault: str
    relays: tuple[RelayVitals, ...]
    queue_fault: str
    blocked_for: timedelta
    queue_depth: int
    oldest_open_at: datetime | None
    possibly_twice: int


class Health(StrEnum):
    """The vitals in one word, as `/healthz` gives it."""

    OK = "ok"
    DEGRADED = "degraded"  # alerts are taken, but mail does not leave
    UNAVAILABLE = "unavailable"  # the journal cannot be written
    CLOSING = "closing"


def health_of(vitals: Vitals, *, degraded_after: timedelta) -> Health:
    """Judge the vitals. Mail that cannot leave makes the daemon degraded, not down.

    At once when only other settings can help, after `degraded_after` when waiting may.
    """
    if vitals.closing:
        return Health.CLOSING
    if vitals.journal_fault:
        return Health.UNAVAILABLE
    blocked = vitals.relay_fault and vitals.queue_depth and vitals.blocked_for >= degraded_after
    if blocked or vitals.queue_fault or _needs_other_settings(vitals.relays):
        return Health.DEGRADED
    return Health.OK


def _needs_other_settings(relays: tuple[RelayVitals, ...]) -> bool:
    """Tell whether no relay works, and waiting helps with none of them."""
    return bool(relays) and all(relay.is_configuration and not relay.usable for relay in relays)
