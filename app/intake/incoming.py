"""What is handed in to be read as alerts, what comes out of it, and how it is turned down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from app.domain.alert import Alert
from app.domain.errors import MailAlertError
from app.httpkit.problems import Problem

NO_FIELDS: Mapping[bytes, bytes] = MappingProxyType({})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IncomingBody:
    """The parts of a request that an alert is read from, raw: its body, its header fields (names in lower case),
    and the query string. `at` is when it came."""

    body: bytes = field(repr=False)
    fields: Mapping[bytes, bytes] = field(default_factory=lambda: NO_FIELDS, repr=False)
    query: bytes = field(default=b"", repr=False)
    at: datetime = LONG_AGO

    @property
    def content_type(self) -> str:
        """The value of Content-Type, "" without one."""
        return self.fields.get(b"content-type", b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class EventKey:
    """What a tool calls one event, and the bytes that it said of it: the same name for other bytes is a mistake."""

    name: str
    sent: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """The alerts of one body. `warnings` tell the sender what was changed on the way in.

    `is_batch` says that an array was sent, be it of one alert: the answer has another shape then. `event_keys` are
    what the tool calls each event (one for each alert, None for one without a name; or nothing at all): one that comes
    again within a day is the same. `understood` is False for a body that no format knows, mailed as it came.
    """

    alerts: tuple[Alert, ...]
    warnings: tuple[str, ...] = ()
    is_batch: bool = False
    event_keys: tuple[EventKey | None, ...] = ()
    understood: bool = True


class Rejected(MailAlertError):
    """No alert can be read from the body; `problem` is what the sender is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
