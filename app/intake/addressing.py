"""Whom a sender may address: its wishes are granted as far as its token allows, and the receivers get the rest.

This is no open relay: an address that the token does not name gets no mail, whatever a sender writes.
"""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.access import Principal
from app.domain.address import Mailbox
from app.domain.alert import Alert
from app.intake.incoming import Reading

NOT_ALLOWED = (
    "to: the token's allowed_recipients do not name every address that was asked for; the alert goes to its receivers"
)


def addressed(reading: Reading, principal: Principal, receivers: Iterable[str] = ()) -> Reading:
    """Return the reading with alerts as this sender may send them.

    Each has only recipients that are allowed. One with others too goes to its receivers as well, with a warning.
    `receivers` are those that the URL names. A source that is missing is that of the token.
    """
    chosen = tuple(receivers)
    if not (chosen or principal.source or any(alert.to for alert in reading.alerts)):
        return reading
    alerts = tuple(_addressed(alert, principal, chosen) for alert in reading.alerts)
    was_cut = any(len(ours.to) < len(theirs.to) for ours, theirs in zip(alerts, reading.alerts, strict=True))
    return replace(reading, alerts=alerts, warnings=(*reading.warnings, *([NOT_ALLOWED] if was_cut else [])))


def _addressed(alert: Alert, principal: Principal, receivers: tuple[str, ...]) -> Alert:
    # Without the names that the sender gives: each list of people is kept for good, and names would make any number.
    allowed = tuple(Mailbox(mailbox.address) for mailbox in alert.to if principal.allowed_recipients.include(mailbox))
    return replace(
        alert,
        to=allowed,
        receivers=alert.receivers + receivers,
        source=alert.source or principal.source,
        also_routed=len(allowed) < len(alert.to),
    )
