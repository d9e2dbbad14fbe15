"""Takes alerts in: gives each its identity, makes its mail, and makes both durable together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.alert import AcceptedAlert, Alert, Severity
from app.domain.envelope import Envelope
from app.domain.errors import JournalUnavailable
from app.domain.ids import IdSource
from app.domain.ports import AlertStore, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPlan:
    """Under which letterhead new mails are made, and the counts of seconds that an Envelope begins with."""

    letterhead_id: int
    usable_seconds: Callable[[], int]
    running_seconds: Callable[[], int]


class Ingest:
    """The door that every intake goes through."""

    def __init__(
        self, *, store: AlertStore, ids: IdSource, clock: Clock, plan: MailPlan, on_accepted: Callable[[Severity], None]
    ) -> None:
        """`on_accepted` is called after each commit: there is new mail to send, of this severity at most."""
        self._store = store
        self._ids = ids
        self._clock = clock
        self._plan = plan
        self._on_accepted = on_accepted
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the intake has ended because the daemon shuts down."""
        return self._closed

    def close(self) -> None:
        """Take nothing from now on; what is being committed still is."""
        self._closed = True

    async def accept(self, alerts: Sequence[Alert]) -> list[int]:
        """Return the ids of the alerts once they are durable, all or none.

        Raises JournalUnavailable when the journal cannot take them, or after `close`.
        """
        if self._closed:
            raise JournalUnavailable("the daemon is shutting down")
        now = self._clock.now()
        now_ms = int(now.timestamp() * 1000)
        next_id = self._ids.next_id
        accepted = [AcceptedAlert(next_id(now_ms), now, alert) for alert in alerts]
        await self._store.accept(accepted, [self._envelope(next_id(now_ms), alert, now) for alert in accepted])
        self._on_accepted(max((alert.severity for alert in alerts), key=_rank))
        return [alert.id for alert in accepted]

    def _envelope(self, number: int, accepted: AcceptedAlert, now: datetime) -> Envelope:
        return Envelope(
            id=number,
            alert_id=accepted.id,
            letterhead_id=self._plan.letterhead_id,
            made_at=now,
            severity=accepted.alert.severity,
            due_at=now,
            usable_seconds=self._plan.usable_seconds(),
            running_seconds=self._plan.running_seconds(),
        )


def _rank(severity: Severity) -> int:
    return severity.rank
