"""The alert: one event as a monitoring tool, a cron job or a person told it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.domain.address import Mailbox
from app.domain.answered import Answered
from app.domain.attachment import Attachment

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Severity(StrEnum):
    """How bad it is; `rank` orders them, critical highest."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for critical."""
        return RANKS[self]

    @staticmethod
    def of_rank(rank: int) -> "Severity":
        """Return the severity whose `rank` it is."""
        return BY_RANK[rank]


BY_RANK = tuple(Severity)
RANKS = {severity: rank for rank, severity in enumerate(BY_RANK)}


class Status(StrEnum):
    """Whether the trouble is there or gone. An alert without a key and labels has no status to follow."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Link:
    """A way back to the tool that raised the alert."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What was said, cleaned: one-line fields hold no control character, no text holds a lone surrogate.

    `extra` are the fields that the format does not know, shown in the mail below the text.
    `notes` say what was changed on the way in ("the content was cut"), and stand in the mail too.
    `to` are people whom the sender asked for, as far as it may; `receivers` the names of those it chose. Without
    either the routes decide, and with `also_routed` they do so besides. With `severity_is_assumed` nobody has said
    how bad it is: then no receiver's minimum holds it back. `answers` is there for what the system itself answers.
    """

    subject: str
    content: str = ""
    severity: Severity = Severity.WARNING
    status: Status = Status.FIRING
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    key: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    links: tuple[Link, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    notes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    to: tuple[Mailbox, ...] = ()
    receivers: tuple[str, ...] = ()
    also_routed: bool = False
    severity_is_assumed: bool = False
    answers: Answered | None = None


@dataclass(frozen=True, slots=True)
class AcceptedAlert:
    """An alert with the identity that acceptance gave it."""

    id: int
    received_at: datetime
    alert: Alert = field(repr=False)
