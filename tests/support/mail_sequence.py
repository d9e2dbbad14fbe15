"""Mails in a row over one connection, each of which may begin in the flight of the one before."""

from collections.abc import Sequence

from app.delivery.connection import Connection, SendResult
from app.protocols.smtp.transaction import OutgoingMail


class MailSequence:
    """Sends `mails` over one connection, for as long as it is usable."""

    def __init__(self, mails: Sequence[OutgoingMail]) -> None:
        self._waiting = list(mails)

    def take(self) -> OutgoingMail | None:
        """Return the mail that is sent next."""
        return self._waiting[0] if self._waiting else None

    def relay_stalls(self) -> None:
        """Have the mail back, where it still is."""

    async def send_over(self, connection: Connection) -> list[SendResult]:
        """Return the result of each mail that was sent."""
        results: list[SendResult] = []
        while self._waiting and connection.usable:
            results.append(await connection.send(self._waiting.pop(0), self))
        return results
