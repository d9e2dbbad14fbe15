"""`[[heartbeats]]`: what is to give signs of life, and who is told when it does not."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, model_validator
from pydantic_settings import NoDecode

from app.domain.alert import Alert, Severity
from app.domain.errors import ConfigurationError
from app.domain.heartbeat import DEFAULT_GRACE, MAX_PERIOD, MIN_PERIOD, Heartbeat, is_name
from app.domain.heartbeat_schedule import Cron, Every, Schedule
from app.settings.matchers import Matchers
from app.settings.measures import Duration, time_within
from app.settings.sections import STRICT
from app.settings.tables import OWN_NAMES, tables_of


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError("is no name of a heartbeat; write up to 64 letters, digits, dots, hyphens and underscores")
    return value


HeartbeatName = Annotated[str, AfterValidator(_name)]
DEFAULT_ZONE = "UTC"
Span = Annotated[Duration, time_within(MIN_PERIOD, MAX_PERIOD)]


class HeartbeatTable(BaseModel):
    """One of `[[heartbeats]]`, as it is written."""

    model_config = STRICT

    name: HeartbeatName
    period: Span | None = None
    cron: str | None = None
    timezone: str | None = None
    grace: Span = DEFAULT_GRACE
    severity: Severity = Severity.ERROR
    receiver: str = ""
    matchers: Matchers = ()

    @model_validator(mode="after")
    def _can_be_watched(self) -> Self:
        heartbeat = self.heartbeat()
        # Such as team!="db", which is fulfilled by all that has no team.
        if any(heartbeat.is_fed_by(Alert(subject="any", severity=severity)) for severity in Severity):
            raise ValueError(
                f'"{self.name}": alerts without labels fulfil its matchers, and nobody would be mailed of them; '
                'ask for a label of the sign of life, such as alertname="Watchdog"'
            )
        return self

    def heartbeat(self) -> Heartbeat:
        """Return what it means. Raises ValueError unless it says when a ping is due, in one way."""
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
                if self.timezone is not None:
                    raise ValueError(f'"{self.name}": timezone is that of cron, and there is a period; leave it out')
                return Every(period)
            case None, str() as expression:
                return _cron(self.name, expression, self.timezone or DEFAULT_ZONE)
            case _:
                raise ValueError(f'"{self.name}" needs to know when pings are due; give it either period or cron')


def _cron(name: str, expression: str, timezone: str) -> Cron:
    try:
        return Cron(expression, timezone)
    except ValueError as error:
        problem = f'"{name}": cron or timezone {error}'
    raise ValueError(problem)


HeartbeatTables = Annotated[tuple[HeartbeatTable, ...], NoDecode, tables_of("heartbeats"), OWN_NAMES]


def all_heartbeats(tables: Sequence[HeartbeatTable], receivers: Collection[str]) -> tuple[Heartbeat, ...]:
    """Return what they mean. Raises ConfigurationError for a receiver that is not among those."""
    for table in tables:
        if table.receiver and table.receiver not in receivers:
            raise ConfigurationError(
                f'heartbeat "{table.name}": there is no receiver "{table.receiver}"; declare it by [[receivers]]'
            )
    return tuple(table.heartbeat() for table in tables)
