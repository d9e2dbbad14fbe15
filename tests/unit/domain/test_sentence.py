"""What became of a recipient is said in words."""

import pytest

from app.domain.envelope import Delivery, DeliveryState
from app.domain.sentence import sentence

REASON = "mailbox does not exist"


@pytest.mark.parametrize(
    ("state", "reason", "reply", "expected"),
    [
        (DeliveryState.SENT, "", "250 2.0.0 queued as 1", "sent"),
        (DeliveryState.PENDING, "", "", "waits for its first attempt"),
        (DeliveryState.PENDING, "busy", "451 4.3.0 later", "busy (451 4.3.0), tried again"),
        (DeliveryState.PENDING, "lost after the final dot", "", "lost after the final dot, tried again"),
        (DeliveryState.REFUSED, REASON, "550 5.1.1 no such user", f"{REASON} (550 5.1.1), not retried"),
        (DeliveryState.REFUSED, REASON, "550 5 users", f"{REASON} (550), not retried"),
        (DeliveryState.REFUSED, REASON, "550 5.1.1.7 is blocked", f"{REASON} (550), not retried"),
        (DeliveryState.EXPIRED, "busy", "451", "busy (451), given up because its lifetime is over"),
        (DeliveryState.DROPPED, REASON, "550 5.1.1 no", f"{REASON} (550 5.1.1), dropped by hand"),
        (DeliveryState.BOUNCED, REASON, "550 5.1.1 no", f"sent, and came back: {REASON} (550 5.1.1)"),
        (DeliveryState.DELAYED, "busy", "", "sent, and delayed behind the relay: busy"),
    ],
)
def test_each_state_has_its_sentence(state: DeliveryState, reason: str, reply: str, expected: str) -> None:
    """With the codes of the last reply, and without its text, which is told beside it."""
    assert sentence(Delivery(0, state=state, reason=reason, reply=reply)) == expected
