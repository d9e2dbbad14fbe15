"""What became of a recipient, in a sentence for people."""

import re

from app.domain.envelope import Delivery, DeliveryState

# RFC 5321 section 4.2, RFC 3463 section 2; a number that merely begins like an enhanced code is none (RFC 2034).
_CODES = re.compile(r"\d{3}( [245]\.\d{1,3}\.\d{1,3}(?= |$))?")

_SENTENCES = {
    DeliveryState.SENT: "sent",
    DeliveryState.PENDING: "{said}, tried again",
    DeliveryState.REFUSED: "{said}, not retried",
    DeliveryState.EXPIRED: "{said}, given up because its lifetime is over",
    DeliveryState.DROPPED: "{said}, dropped by hand",
    DeliveryState.BOUNCED: "sent, and came back: {said}",
    DeliveryState.DELAYED: "sent, and delayed behind the relay: {said}",
}


def sentence(delivery: Delivery) -> str:
    """Return the reason, the codes of the last reply and what follows.

    For example "mailbox does not exist (550 5.1.1), not retried". The reply's text has its own place.
    """
    codes = _CODES.match(delivery.reply)
    said = f"{delivery.reason} ({codes[0]})" if codes else delivery.reason
    if delivery.state is DeliveryState.PENDING and not said:
        return "waits for its first attempt"
    return _SENTENCES[delivery.state].format(said=said)
