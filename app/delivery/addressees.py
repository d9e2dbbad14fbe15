"""To whom one attempt goes: those whose turn it is, without those who get no mail any more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.envelope import Delivery, QueuedMail
from app.domain.outcome import Outcome, Refused, Scope

SET_ASIDE = Refused(
    Scope.RECIPIENT,
    "set aside: its mails came back too often; release it with `mailalert queue release`",
)


@dataclass(frozen=True, slots=True)
class Addressees:
    """The recipients that the relay is asked about, and the outcomes, by position, of those that it never hears of."""

    asked: tuple[Delivery, ...]
    refused: Mapping[int, Outcome]


def addressees(mail: QueuedMail, turn: Sequence[Delivery], is_set_aside: Callable[[str], bool]) -> Addressees:
    """Return to whom the mail goes if it is the `turn` of these; who is set aside waits for no turn."""
    refused: dict[int, Outcome] = {
        delivery.position: SET_ASIDE
        for delivery in mail.pending
        if is_set_aside(mail.letterhead.recipients[delivery.position].address)
    }
    return Addressees(tuple(delivery for delivery in turn if delivery.position not in refused), refused)
