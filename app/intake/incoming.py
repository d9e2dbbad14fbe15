"""What is handed in to be read as alerts, what comes out of it, and how it is turned down."""

from dataclasses import dataclass, field

from app.domain.alert import Alert
from app.domain.errors import MailAlertError
from app.httpkit.problems import Problem


@dataclass(frozen=True, slots=True)
class IncomingBody:
    """The parts of a request that an alert is read from, raw: the values of Content-Type and Title,
    and the query string, as they came ("" or b"" if they did not)."""

    body: bytes = field(repr=False)
    content_type: str = ""
    query: bytes = field(default=b"", repr=False)
    title: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """The alerts of one body. `warnings` tell the sender what was changed on the way in.

    `is_batch` says that an array was sent, be it of one alert: the answer has another shape then.
    """

    alerts: tuple[Alert, ...]
    warnings: tuple[str, ...] = ()
    is_batch: bool = False


class Rejected(MailAlertError):
    """No alert can be read from the body; `problem` is what the sender is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
