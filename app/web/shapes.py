"""How times and recipients look in the answers."""

from datetime import datetime
from typing import Any

from app.domain.envelope import Delivery
from app.domain.sentence import sentence


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
