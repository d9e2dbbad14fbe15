"""The acknowledgements of the journal in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.acknowledgement import AckEvent, standing


@dataclass(slots=True)
class MemoryAcknowledgements:
    """Keeps the events by alert, the alert of the last event at the end."""

    events: dict[int, tuple[AckEvent, ...]] = field(default_factory=dict)

    def of(self, alert_id: int) -> tuple[AckEvent, ...]:
        """Return those of this alert, in order."""
        return self.events.get(alert_id, ())

    def add(self, alert_id: int, event: AckEvent) -> None:
        """Take the event, unless it is of a mail that is on record for the alert."""
        known = self.of(alert_id)
        if event.source and any(event.source == earlier.source for earlier in known):
            return
        self.events.pop(alert_id, None)
        self.events[alert_id] = (*known, event)

    def hold(self, alert_id: int, now: datetime) -> bool:
        """Tell whether somebody sees to the alert."""
        return standing(self.of(alert_id), now) is not None

    def standing(self, now: datetime) -> Mapping[int, datetime | None]:
        """Return the alerts that somebody sees to, in the order of the acknowledgements, and until when."""
        held = {alert_id: standing(events, now) for alert_id, events in self.events.items()}
        return {alert_id: event.until for alert_id, event in held.items() if event is not None}
