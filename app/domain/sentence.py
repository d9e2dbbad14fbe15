"""What became of a recipient, in a sentence for people."""

import re

from app.domain.envelope import Delivery, DeliveryState

# RFC 5321 section 4.2, RFC 3463 section 2; a number that merely begins like an enhanced code is none (RFC 2034).
_CODES = re.compile(r"\d{3}( [245]\.\d{1,3}\.\d{1,3}(?= |$))?")


def sentence(delivery: Delivery) -> str:
    """Return the reason, the codes of the last reply and what follows.

    For example "mailbox does not exist (550 5.1.1), not retried". The reply's text has its own place.
    """
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
