"""Acknowledgements: somebody sees to an alert, for a while or until it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_ACK = timedelta(days=30)  # an alert that nobody has mended by then should be heard of again, or needs no end


class AckAction(StrEnum):
    """What was done. The values stand in the journal."""

    ACKNOWLEDGED = "acknowledged"
    TAKEN_BACK = "taken back"


class AckDoor(StrEnum):
    """How it came in. The values stand in the journal."""

    REPLY = "reply"  # a mail that answers the alert's
    HTTP = "http"
    COMMAND = "command"  # `mailalert ack`


@dataclass(frozen=True, slots=True, kw_only=True)
class AckEvent:
    """Who did what, when, how, and until when it holds; None for no end.

    `source` is the Message-ID of the mail that said it, "" for none: a mail that is found again says nothing new.
    """

    at: datetime
    action: AckAction
    who: str
    how: AckDoor
    until: datetime | None = None
    source: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether somebody sees to the alert by this event, if it is the last one."""
        return self.action is AckAction.ACKNOWLEDGED and (self.until is None or now < self.until)


def standing(events: Sequence[AckEvent], now: datetime) -> AckEvent | None:
    """Return the acknowledgement that holds now; None if there is none. The last event counts: it replaces others."""
    return events[-1] if events and events[-1].holds(now) else None
