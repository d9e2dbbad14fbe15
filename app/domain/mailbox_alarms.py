"""What alarms are raised about on the reading side: mail that comes back, does not arrive, or cannot be read."""

from collections.abc import Sequence
from datetime import timedelta

from app.domain.address import folded
from app.domain.alarm import Alarm
from app.domain.alarm_causes import MAX_NAMED, duration
from app.domain.alert import Severity
from app.domain.bounce import BouncedRecipient, SetAsideAddress
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id


def set_aside_alarm(entry: SetAsideAddress) -> Alarm:
    """Return the alarm that a recipient gets no more mail, because it came back too often."""
    address, said = entry.address, f" The last time it was said: {entry.reply}" if entry.reply else ""
    return Alarm(
        cause=f"set aside: {folded(address)}",
        subject=f"No more mail goes to {address}",
        text=(
            f"Mail to {address} has come back {entry.bounces} times, because the address is of no use.{said}"
            "\n\nIt gets no mail any more; whatever is for it becomes a dead letter. Correct the address in the"
            f" settings, and release it here in any case:\n\nmailalert queue release {address}"
        ),
        facts={"address": address, "bounces": str(entry.bounces)},
    )


def unplaced_bounce_alarm(mail: QueuedMail, unplaced: Sequence[BouncedRecipient]) -> Alarm:
    """Return the alarm that a mail came back from somebody who is none of its recipients, as aliases make it."""
    told = [" ".join(filter(None, (one.address, one.reply or one.status))) for one in unplaced[:MAX_NAMED]]
    people = ", ".join(mailbox.address for mailbox in mail.letterhead.recipients[:MAX_NAMED])
    return Alarm(
        cause="bounce not placed",
        subject="A mail has come back, and nobody knows from whom",
        text=(
            f'The mail about "{mail.accepted.alert.subject}" has not reached everybody:\n\n'
            + "\n".join(told or ["the report names nobody"])
            + f"\n\nIt went to {people}. The report stays in the mailbox. With verp = true in [mailbox] each recipient"
            " is known by the address that reports come to."
        ),
        facts={"alert": format_id(mail.envelope.alert_id), "envelope": format_id(mail.envelope.id)},
    )


def mailbox_alarm(name: str, reason: str) -> Alarm:
    """Return the alarm that the mailbox cannot be read; `reason` says why."""
    return Alarm(
        cause="mailbox",
        subject="The mailbox cannot be read",
        text=(
            f"{reason}\n\nUntil that is mended nobody learns of mails that come back, and answers to alerts"
            " are not heard. Sending is not touched by it. `mailalert check` shows what works."
        ),
        severity=Severity.WARNING,
        facts={"mailbox": name, "reason": reason},
    )


def removal_alarm(name: str, reason: str) -> Alarm:
    """Return the alarm that mails are read, and cannot be removed from the mailbox."""
    return Alarm(
        cause="mailbox: removing",
        subject="Mails cannot be removed from the mailbox",
        text=(
            f"{reason}\n\nEverything is read and acted upon, and what was to go stays: reports, probes, and"
            " what mailbox.after says. Let the account delete there, or move."
        ),
        severity=Severity.WARNING,
        facts={"mailbox": name, "reason": reason},
    )


def unreadable_mail_alarm(name: str, uid: str, note: str) -> Alarm:
    """Return the alarm that one mail of the mailbox is left alone from now on; `note` says why."""
    return Alarm(
        cause=f"mail set aside: {uid}",
        subject="A mail in the mailbox cannot be read",
        text=(
            f"The mail {uid} in {name} is set aside: {note}.\n\nIt stays on the server, and the others are read."
            f" Look at it with:\n\nmailalert mailbox show {uid} --source"
        ),
        severity=Severity.WARNING,
        facts={"mailbox": name, "uid": uid, "reason": note},
    )


def untaken_probe_alarm(relay: str, *, reason: str) -> Alarm:
    """Return the alarm that a relay takes no test mail."""
    return Alarm(
        cause=f"probe: {relay}",
        subject=f"The relay {relay} takes no test mail",
        text=(
            f"The relay {relay}: {reason}\n\nAlerts may meet the same. `mailalert check --send` shows the whole"
            " dialogue; probe.to in the settings is who gets the test mail."
        ),
        facts={"relay": relay, "reason": reason},
        not_over=relay,
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
