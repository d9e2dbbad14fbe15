"""The address book: to whom an alert goes, and under which letterheads its mails are made."""

from dataclasses import dataclass

from app.domain.alert import Alert


@dataclass(frozen=True, slots=True)
class Destinations:
    """The letterheads of the mails to make, one for each receiver, and what the sender should know.

    Without any mail to make, `kept_under` is the letterhead (of no recipient) under which the alert stays on record.
    """

    letterhead_ids: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    kept_under: int = 0


class AddressBook:
    """Knows the receivers and the routes to them."""

    def __init__(self, *, letterhead_id: int) -> None:
        self._everybody = Destinations((letterhead_id,))

    async def destinations_of(self, alert: Alert) -> Destinations:  # noqa: ARG002 - the routes will look at it
        """Return where the alert goes."""
        return self._everybody
