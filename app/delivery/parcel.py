"""A mail in a worker's hands: rendered, with its recipients on the way through one transaction or several."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.delivery.addressees import Addressees
from app.domain.envelope import QueuedMail
from app.domain.outcome import Deferred, Outcome
from app.protocols.smtp.transaction import OutgoingMail


class Parcel:
    """Splits the recipients where the relay takes only so many at once, and gathers their outcomes.

    Where bounces come to an address of each recipient (VERP), each has a transaction of his own: it has one sender.
    """

    def __init__(
        self,
        mail: QueuedMail,
        addressees: Addressees,
        *,
        data: bytes,
        envelope_id: str,
        return_path: Callable[[QueuedMail, int], str],
    ) -> None:
        """At least one is to be asked. `envelope_id` is what a bounce brings back, `return_path` where it comes to.

        Raises AddressError for an address that cannot be said to a relay.
        """
        self.mail = mail
        self.outcomes: dict[int, Outcome] = dict(addressees.refused)  # by the recipient's position
        self.is_suspect = False  # the relay fails at it, where it may bear others
        self.is_answered = False  # for one transaction at least
        self._waiting = [delivery.position for delivery in addressees.asked]
        self._under_way: list[int] = []
        self._return_path = return_path
        self._to_all = OutgoingMail(
            sender=return_path(mail, self._waiting[0]),
            recipients=self._addresses(self._waiting),
            data=data,
            envelope_id=envelope_id,
        )

    @property
    def is_complete(self) -> bool:
        """Whether each recipient has its outcome."""
        return not self._waiting

    def next_transaction(self, most_recipients: int) -> OutgoingMail:
        """Return the mail to the next of the recipients."""
        most = 1 if self.mail.letterhead.verp else most_recipients
        self._under_way, self._waiting = self._waiting[:most], self._waiting[most:]
        if len(self._under_way) == len(self._to_all.recipients):
            return self._to_all
        sender = self._return_path(self.mail, self._under_way[0])
        return replace(self._to_all, sender=sender, recipients=self._addresses(self._under_way))

    def _addresses(self, positions: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.mail.letterhead.recipients[position].address for position in positions)

    def note(self, outcomes: Sequence[Outcome]) -> int | None:
        """Take the outcomes of the transaction; return how many recipients the relay takes, if it had too many.

        Those beyond go into the next transaction, at once.
        """
        by_position = dict(zip(self._under_way, outcomes, strict=True))
        self._under_way = []
        self.is_answered = True
        crowded = [position for position, outcome in by_position.items() if _is_crowded(outcome)]
        taken = len(by_position) - len(crowded)
        if not crowded or not taken:  # a relay that takes none at all would be asked for ever
            self.outcomes |= by_position
            return None
        self.outcomes |= {position: by_position[position] for position in by_position.keys() - set(crowded)}
        self._waiting = crowded + self._waiting
        return taken

    def fail_rest(self, outcome: Outcome) -> None:
        """Give `outcome` to every recipient that no transaction has come to."""
        self.outcomes |= dict.fromkeys(self._waiting, outcome)
        self._waiting.clear()

    def fail(self, outcome: Outcome) -> None:
        """Give `outcome` to the recipients of the transaction under way, and to the rest."""
        self.outcomes |= dict.fromkeys(self._under_way, outcome)
        self.fail_rest(outcome)


def _is_crowded(outcome: Outcome) -> bool:
    return isinstance(outcome, Deferred) and outcome.too_many_recipients
