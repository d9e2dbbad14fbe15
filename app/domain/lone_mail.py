"""A mail that is in no journal: made by hand, and sent at once or never."""

from dataclasses import replace
from datetime import datetime

from app.domain.alert import AcceptedAlert, Alert
from app.domain.envelope import Delivery, Envelope, Letterhead, QueuedMail


def lone_mail(alert: Alert, letterhead: Letterhead, *, number: int, at: datetime) -> QueuedMail:
    """Return the mail to everybody of the letterhead; `number` is the id of the alert and of its envelope.

    It asks for no answer and gives no address for bounces: nothing could be found that they are about.
    """
    envelope = Envelope(id=number, alert_id=number, letterhead_id=0, made_at=at, severity=alert.severity, due_at=at)
    return QueuedMail(
        envelope=envelope,
        accepted=AcceptedAlert(id=number, received_at=at, alert=alert),
        letterhead=replace(letterhead, reply_address=None, verp="", takes_answers=False),
        deliveries=tuple(map(Delivery, range(len(letterhead.recipients)))),
    )
