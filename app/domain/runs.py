"""What is known at a start about the runs of the daemon before it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PreviousRuns:
    """What the journal knows at a start about the runs before it.

    `unannounced` counts the starts since the last one that was announced by mail.
    """

    any: bool
    ended_cleanly: bool
    last_notice_at: datetime | None
    unannounced: int
