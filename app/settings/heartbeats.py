"""`[[heartbeats]]`: what is to give signs of life, and who is told when it does not."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, model_validator
from pydantic_settings import NoDecode

from app.domain.alert import Severity
from app.domain.errors import ConfigurationError
from app.domain.heartbeat import DEFAULT_GRACE, MAX_PERIOD, MIN_PERIOD, Heartbeat, is_name
from app.domain.heartbeat_schedule import Cron, Every, Schedule
from app.settings.matchers import Matchers
from app.settings.measures import Duration, time_within
from app.settings.sections import STRICT
from app.settings.tables import tables_of


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError("is no name of a heartbeat; write up to 64 letters, digits, dots, hyphens and underscores")
    return value


HeartbeatName = Annotated[str, AfterValidator(_name)]
Span = Annotated[Duration, time_within(MIN_PERIOD, MAX_PERIOD)]


class HeartbeatTable(BaseModel):
    """One of `[[heartbeats]]`, as it is written."""

    model_config = STRICT

    name: HeartbeatName
    period: Span | None = None
    cron: str | None = None
    timezone: str = "UTC"
    grace: Span = DEFAULT_GRACE
    severity: Severity = Severity.ERROR
    receiver: str = ""
    matchers: Matchers = ()

    @model_validator(mode="after")
    def _is_due_at_times(self) -> Self:
        self.heartbeat()
        return self

    def heartbeat(self) -> Heartbeat:
        """Return what it means. Raises ValueError unless it says when a ping is due, and only once."""
        return Heartbeat(
            name=self.name,
            schedule=self._schedule(),
            grace=self.grace,
            severity=self.severity,
            receiver=self.receiver,
            matchers=self.matchers,
        )

    def _schedule(self) -> Schedule:
        match self.period, self.cron:
            case timedelta() as period, None:
                return Every(period)
            case None, str() as expression:
                return _cron(self.name, expression, self.timezone)
            case _:
                raise ValueError(f'"{self.name}" needs to know when pings are due; give it either period or cron')


def _cron(name: str, expression: str, timezone: str) -> Cron:
    try:
        return Cron(expression, timezone)
    except ValueError as error:
        problem = f'"{name}": cron or timezone {error}'
    raise ValueError(problem)


def _with_own_names(tables: tuple[HeartbeatTable, ...]) -> tuple[HeartbeatTable, ...]:
    for name, count in Counter(table.name for table in tables).items():
        if count > 1:
            raise ValueError(f'{count} of them are called "{name}"; give each a name of its own')
    return tables


HeartbeatTables = Annotated[
    tuple[HeartbeatTable, ...], NoDecode, tables_of("heartbeats"), AfterValidator(_with_own_names)
]


def all_heartbeats(tables: Sequence[HeartbeatTable], receivers: Collection[str]) -> tuple[Heartbeat, ...]:
    """Return what they mean. Raises ConfigurationError for a receiver that is not among those."""
    for table in tables:
        if table.receiver and table.receiver not in receivers:
            raise ConfigurationError(
                f'heartbeat "{table.name}": there is no receiver "{table.receiver}"; declare it by [[receivers]]'
            )
    return tuple(table.heartbeat() for table in tables)
