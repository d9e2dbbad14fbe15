"""How times, recipients and acknowledgements look in the answers."""

from datetime import datetime
from typing import Any

from app.domain.acknowledgement import AckEvent
from app.domain.envelope import Delivery
from app.domain.sentence import sentence


def time_text(moment: datetime) -> str:
    """Return the time as RFC 3339 writes it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recipient(address: str, delivery: Delivery) -> dict[str, Any]:
    """Return one recipient of a mail, with the last reply about it: of the relay, or of the server `remote` behind."""
    return {
        "address": address,
        "state": delivery.state,
        "text": sentence(delivery),
        "attempts": delivery.attempts,
        "last_attempt_at": delivery.last_attempt_at and time_text(delivery.last_attempt_at),
        "relay": delivery.relay,
        "reply": delivery.reply,
        "reason": delivery.reason,
        "remote": delivery.remote,
        "possibly_twice": delivery.ambiguous,
    }


def acknowledgement(event: AckEvent) -> dict[str, Any]:
    """Return who sees to an alert, since and until when, and how that was told."""
    return {
        "who": event.who,
        "at": time_text(event.at),
        "until": event.until and time_text(event.until),
        "how": event.how,
    }
