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
class MailboxVitals:
    """The mailbox that is read. Unless it `is_readable`, `reason` says in words why it has not been for `failing_for`.

    `is_configuration`: somebody has to change something; waiting does not help. `last_poll_age` is None before the
    first look at it that succeeded. `read` and `set_aside` count mails since the start: those whose effect is recorded,
    and those that could not be read.
    """

    name: str
    is_readable: bool
    is_configuration: bool = False
    reason: str = ""
    failing_for: timedelta = timedelta(0)
    last_poll_age: timedelta | None = None
    read: int = 0
    set_aside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeVitals:
    """The probes over one relay: how long the last one that arrived was under way, and how long ago that was.

    Both are None before the first one arrived. `is_missing`: one is overdue, came back, or is not taken.
    """

    relay: str
    round_trip_s: float | None = None
    last_arrival_age: timedelta | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The state of the parts at one moment. Empty strings mean that all is well.

    `relay_fault` says why no mail could leave for `blocked_for`. `possibly_twice` counts the mails that the run
    before ended in the midst of. `mailbox` is None, and `probes` are none, where none is set up.
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
    mailbox: MailboxVitals | None = None
    probes: tuple[ProbeVitals, ...] = ()


class Health(StrEnum):
    """The vitals in one word, as `/healthz` gives it."""

    OK = "ok"
    DEGRADED = "degraded"  # alerts are taken, but mail does not leave, does not arrive or cannot be read
    UNAVAILABLE = "unavailable"  # the journal cannot be written
    CLOSING = "closing"


def health_of(vitals: Vitals, *, degraded_after: timedelta) -> Health:
    """Judge the vitals. Mail that cannot leave, arrive or be read makes the daemon degraded, not down.

    At once when only other settings can help, after `degraded_after` when waiting may. A missing probe has waited.
    """
    if vitals.closing:
        return Health.CLOSING
    if vitals.journal_fault:
        return Health.UNAVAILABLE
    blocked = vitals.relay_fault and vitals.queue_depth and vitals.blocked_for >= degraded_after
    if blocked or vitals.queue_fault or _needs_other_settings(vitals.relays):
        return Health.DEGRADED
    if any(probe.is_missing for probe in vitals.probes) or _is_unread(vitals.mailbox, degraded_after):
        return Health.DEGRADED
    return Health.OK


def _is_unread(mailbox: MailboxVitals | None, degraded_after: timedelta) -> bool:
    if mailbox is None or mailbox.is_readable:
        return False
    return mailbox.is_configuration or mailbox.failing_for >= degraded_after


def _needs_other_settings(relays: tuple[RelayVitals, ...]) -> bool:
    """Tell whether no relay works, and waiting helps with none of them."""
    return bool(relays) and all(relay.is_configuration and not relay.usable for relay in relays)
