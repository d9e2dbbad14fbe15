"""What alarms are raised about on the reading side: mail that comes back, does not arrive, or cannot be read."""

from datetime import timedelta

from app.domain.alarm import Alarm
from app.domain.alarm_causes import duration
from app.domain.alert import Severity


def set_aside_alarm(address: str, *, bounces: int, reply: str) -> Alarm:
    """Return the alarm that a recipient gets no more mail, because it came back `bounces` times."""
    said = f" The last time it was said: {reply}" if reply else ""
    return Alarm(
        cause=f"set aside: {address.lower()}",
        subject=f"No more mail goes to {address}",
        text=(
            f"Mail to {address} has come back {bounces} times, because the address is of no use.{said}"
            "\n\nFrom now on it gets no mail; whatever is for it becomes a dead letter. Correct the address in the"
            f" settings, or, once it works again:\n\nmailalert queue release {address}"
        ),
        facts={"address": address, "bounces": str(bounces)},
    )


def mailbox_alarm(name: str, reason: str) -> Alarm:
    """Return the alarm that the mailbox cannot be read; `reason` says why."""
    return Alarm(
        cause="mailbox",
        subject="The mailbox cannot be read",
        text=(
            f"{name}: {reason}\n\nUntil that is mended nobody learns of mails that come back, and answers to alerts"
            " are not heard. Sending is not touched by it. `mailalert check` shows what works."
        ),
        severity=Severity.WARNING,
        facts={"mailbox": name, "reason": reason},
    )


def unreadable_mail_alarm(name: str, uid: str, note: str) -> Alarm:
    """Return the alarm that one mail of the mailbox is left alone from now on; `note` says why."""
    return Alarm(
        cause=f"mail set aside: {note.partition(':')[0]}",
        subject="A mail in the mailbox cannot be read",
        text=(
            f"The mail {uid} in {name} is set aside: {note}.\n\nIt stays on the server, and the others are read."
            f" Look at it with:\n\nmailalert mailbox show {uid} --source"
        ),
        severity=Severity.WARNING,
        facts={"mailbox": name, "uid": uid, "reason": note},
    )


def probe_alarm(relay: str, *, waited: timedelta, others_arrive: bool) -> Alarm:
    """Return the alarm that a test mail which the relay took has not arrived in the mailbox."""
    where = (
        "Those over other relays do arrive, so it is this one that loses mail or holds it back."
        if others_arrive
        else "None arrives at present, so it may as well be the mailbox that takes no mail."
    )
    return Alarm(
        cause=f"probe: {relay}",
        subject=f"Mail over the relay {relay} does not arrive",
        text=(
            f"The relay {relay} took a test mail {duration(waited)} ago, and it is not in the mailbox yet. {where}"
            "\n\nWhat it took meanwhile may not have arrived either. See its log and its queue."
        ),
        facts={"relay": relay, "waited_seconds": str(int(waited.total_seconds()))},
        not_over=relay,
    )
