"""What every worker of a sender works with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.delivery.recorder import Recorder
from app.delivery.relays import Relays
from app.delivery.suspects import Suspects
from app.domain.alert import Severity
from app.domain.envelope import QueuedMail
from app.domain.ports import Clock
from app.pipeline.queue import MailQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Shared by all workers.

    `render` wants a mail with the data of its attachments, `attachments` gives it by the alert's id.
    """

    queue: MailQueue
    relays: Relays
    recorder: Recorder
    suspects: Suspects
    render: Callable[[QueuedMail], bytes]
    envelope_id: Callable[[QueuedMail], str]  # that a bounce brings back
    return_path: Callable[[QueuedMail, int], str]  # where one comes to about the recipient at this position
    is_set_aside: Callable[[str], bool]  # whether no mail goes to this address
    attachments: Callable[[int], Awaitable[Mapping[int, bytes]]]
    clock: Clock
    lifetime_of: Callable[[Severity], timedelta]
    running_seconds: Callable[[], int]
