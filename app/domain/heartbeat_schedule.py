"""When a heartbeat is due again: so long after the last ping, or at the times of a cron expression."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.domain.duration import duration_text

NEVER = datetime(9000, 1, 1, tzinfo=UTC)  # with the longest grace still a date
FIELDS = 5  # of a line of crontab(5); the library takes a sixth one for seconds, which cron does not have
# When the clocks go back, an hour's times come twice, and all of those of the first time lie before the second.
MAX_REPEATED = 200
# The shortest is "* * * * *"; a longer one than the longest lists every minute.
_EXPRESSION = re.compile(r"[0-9A-Za-z*,/#\- ]{9,300}")
_ZONE = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
HOW_TO_WRITE = 'write five fields as in crontab(5), such as "0 3 * * *"'


@dataclass(frozen=True, slots=True)
class Every:
    """A ping is due so long after the last one."""

    period: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """Return when a ping is due that follows one of that time."""
        return moment + self.period

    def __str__(self) -> str:
        """Say it for people."""
        return f"every {duration_text(self.period)}"


@dataclass(frozen=True, slots=True)
class Cron:
    """A ping is due whenever cron would run `expression` in that zone; with its rules where the clocks change.

    A job of the hour that is left out runs right after it; one of the hour that comes twice runs in the first.
    """

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Raise ValueError, with the remedy, unless there is such a zone and the expression has times to come."""
        if not _EXPRESSION.fullmatch(self.expression) or len(self.expression.split()) != FIELDS:
            raise ValueError(f"is no cron expression; {HOW_TO_WRITE}")
        zone = _zone(self.timezone)
        try:
            first = next(CronSim(self.expression, datetime(2024, 1, 1, tzinfo=zone)), None)
        except CronSimError as error:
            raise ValueError(f"is no cron expression ({error}); {HOW_TO_WRITE}") from None
        if first is None:
            raise ValueError("is a cron expression for a day that never comes")

    def next_after(self, moment: datetime) -> datetime:
        """Return the first of its times after that one, in UTC."""
        local = moment.astimezone(_zone(self.timezone))
        times = (time.astimezone(UTC) for time in islice(CronSim(self.expression, local), MAX_REPEATED))
        return next((time for time in times if time > moment), NEVER)

    def __str__(self) -> str:
        """Say it for people."""
        return f'by cron "{self.expression}" in {self.timezone}'


Schedule = Every | Cron


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name if _ZONE.fullmatch(name) else "")
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as "Europe"
        raise ValueError('is no time zone; write one such as "UTC" or "Europe/Berlin"') from None
