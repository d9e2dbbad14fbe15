"""`[probe]`: test mails over each relay to the system's own mailbox, which show that mail arrives."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel

from app.domain.address import Mailbox
from app.settings.measures import Duration, time_within
from app.settings.sections import STRICT
from app.settings.values import OneMailbox

LONGEST = timedelta(days=1)


class ProbeSettings(BaseModel):
    """How often probes are sent, and to where. None are unless `every` is set."""

    model_config = STRICT

    every: Annotated[Duration, time_within(timedelta(minutes=1), LONGEST)] | None = None
    to: OneMailbox = None
    alarm_after: Annotated[Duration, time_within(timedelta(seconds=30), LONGEST)] = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetup:
    """Probes that are on: `to` is the address whose mail comes into the mailbox that is read."""

    every: timedelta
    to: Mailbox
    alarm_after: timedelta


def probe_setup(probe: ProbeSettings, mail_from: Mailbox | None) -> ProbeSetup | None:
    """Return what follows from the section; None if no probes are to be sent."""
    to = probe.to or mail_from
    if probe.every is None or to is None:
        return None
    return ProbeSetup(every=probe.every, to=to, alarm_after=probe.alarm_after)
