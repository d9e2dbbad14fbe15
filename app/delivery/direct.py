"""Sends one mail over one relay that is named, past the queue: what that relay makes of it is the question."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from app.delivery.connection import Connection, SendResult
from app.delivery.opening import Approach, RelayFault
from app.domain.outcome import Deferred, Outcome, Scope
from app.protocols.smtp.transaction import OutgoingMail

PATIENCE = timedelta(minutes=2)  # a relay that checks a mail for longer does not do it for a small one
TOO_LATE = "the relay was not done in time"


class DirectSender:
    """Has no part in the journal, the breakers and the limits of the relays: it sends little, and seldom."""

    def __init__(self, approaches: Sequence[Approach], *, patience: timedelta = PATIENCE) -> None:
        """`patience` is for all of a mail, from the connection to the reply behind its content."""
        self._approaches = {approach.relay.name: approach for approach in approaches}
        self._patience_s = patience.total_seconds()

    @property
    def relays(self) -> tuple[str, ...]:
        """The names of the relays, in the order given."""
        return tuple(self._approaches)

    async def send(self, relay: str, mail: OutgoingMail) -> tuple[Outcome, ...]:
        """Return an outcome for each recipient, in the order of the mail. Whatever the relay does, it never raises."""
        deadline = asyncio.get_running_loop().time() + self._patience_s
        try:
            async with asyncio.timeout_at(deadline):
                # One command at a time: it is one mail, and there are relays that do not bear what they announce.
                connection = await Connection.open(self._approaches[relay], may_pipeline=False)
        except RelayFault as fault:
            return (fault.outcome,) * len(mail.recipients)
        except TimeoutError:
            return (Deferred(Scope.RELAY, TOO_LATE),) * len(mail.recipients)
        try:
            return (await _send_until(deadline, connection, mail)).outcomes
        finally:
            await connection.close()


async def _send_until(deadline: float, connection: Connection, mail: OutgoingMail) -> SendResult:
    try:
        async with asyncio.timeout_at(deadline):
            return await connection.send(mail)
    except TimeoutError:
        return connection.abandon(TOO_LATE)
