"""How times and recipients look in the answers, and what became of a recipient in words."""

import re
from datetime import datetime
from typing import Any

from app.domain.envelope import Delivery, DeliveryState

_CODES = re.compile(r"\d{3}( [245]\.\d{1,3}\.\d{1,3})?")  # RFC 5321 section 4.2, RFC 3463 section 2


def time_text(moment: datetime) -> str:
    """Return the time as RFC 3339 writes it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recipient(address: str, delivery: Delivery) -> dict[str, Any]:
    """Return one recipient of a mail, with the relay's last reply about it."""
    return {
        "address": address,
        "state": delivery.state,
        "text": sentence(delivery),
        "attempts": delivery.attempts,
        "last_attempt_at": delivery.last_attempt_at and time_text(delivery.last_attempt_at),
        "relay": delivery.relay,
        "reply": delivery.reply,
        "reason": delivery.reason,
        "possibly_twice": delivery.ambiguous,
    }


def sentence(delivery: Delivery) -> str:
    """Return what became of a recipient: "mailbox does not exist (550 5.1.1), not retried"."""
    codes = _CODES.match(delivery.reply)
    said = f"{delivery.reason} ({codes[0]})" if codes else delivery.reason
    match delivery.state:
        case DeliveryState.SENT:
            return "sent"
        case DeliveryState.PENDING:
            return f"{said}, tried again" if said else "waits for its first attempt"
        case DeliveryState.REFUSED:
            return f"{said}, not retried"
        case DeliveryState.EXPIRED:
            return f"{said}, given up because its lifetime is over"
        case DeliveryState.DROPPED:
            return f"{said}, dropped by hand"
