"""An alarm: what the system has to say about itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.domain.alert import NOTHING, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One trouble of the system, told at most once an hour for each `cause`.

    `cause` is a short stable key ("relay:mx1", "refused:mailbox does not exist"); `facts` are for programs.
    `not_over` is the name of the relay that the mail about it must not go over, "" if any will do.
    """

    cause: str
    subject: str
    text: str
    severity: Severity = Severity.ERROR
    facts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    not_over: str = ""


RaiseAlarm = Callable[[Alarm], None]  # returns at once and never raises
