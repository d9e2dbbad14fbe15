"""How the parts are just now, as health and alarms look at them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayVitals:
    """One relay: `usable` unless its breaker is open, then `reason` says why in words.

    `is_configuration`: somebody has to change something; waiting does not help.
    """

    name: str
    usable: bool
    reason: str = ""
    is_configuration: bool = False
