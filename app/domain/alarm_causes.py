"""What alarms are raised about, each in plain sentences that say what happened and what to do."""

from collections.abc import Sequence
from datetime import timedelta

from app.domain.alarm import Alarm
from app.domain.alert import Severity
from app.domain.bounce import BounceEffect
from app.domain.envelope import FAILED, Delivery, EnvelopeState, QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import kind_of
from app.domain.sentence import sentence
from app.domain.verdict import Verdict
from app.domain.vitals import RelayVitals

# None is critical: that is for what people post, which leaves before any alarm mail.
MAX_NAMED = 20  # recipients or relays in one text; a list of thousands is for `mailalert queue list`


def failure_alarm(mail: QueuedMail, verdict: Verdict) -> Alarm | None:
    """Return the alarm about recipients who will not get the mail; None if there is nothing to tell.

    It is told when they fail, and once more, under a cause of its own, when the mail is finished: then it is a dead
    letter, and something can be done. None for a mail that is an alarm itself: an alarm about an alarm would be a
    loop; nor for a confirmation, of which only its reader knew. Causes hold nothing that a relay said, so that a storm
    of one kind is one alarm.
    """
    if verdict.state is EnvelopeState.SENT or _tells_nobody(mail):
        return None
    if verdict.state is EnvelopeState.OPEN:
        failed = _failed(verdict.deliveries)
        return _failed_for_some(mail, failed) if failed else None
    touched = {delivery.position: delivery for delivery in verdict.deliveries}
    return _dead_letter(mail, _failed([touched.get(delivery.position, delivery) for delivery in mail.deliveries]))


def bounce_alarm(effect: BounceEffect) -> Alarm | None:
    """Return the alarm about recipients whose mail came back: the same as if the relay had refused them."""
    mail, came_back = effect.mail, _failed(effect.touched)
    if not came_back or _tells_nobody(mail):
        return None
    if mail.envelope.state is EnvelopeState.OPEN:
        return _failed_for_some(mail, came_back)
    return _dead_letter(mail, _failed(mail.deliveries))


def _tells_nobody(mail: QueuedMail) -> bool:
    return mail.letterhead.is_alarm or mail.accepted.alert.answers is not None


def _failed(deliveries: Sequence[Delivery]) -> list[Delivery]:
    return [delivery for delivery in deliveries if delivery.state in FAILED]


def _failed_for_some(mail: QueuedMail, failed: Sequence[Delivery]) -> Alarm:
    state, kind = failed[0].state, kind_of(failed[0].reason)
    return Alarm(
        cause=f"{state} for some: {kind}",
        subject=f"A mail has failed for some recipients: {kind}",
        text=_failures(mail, failed)
        + "It still waits for others. Once that is over it becomes a dead letter, which can be sent again. Until then"
        f" see how it stands:\n\nGET /alerts/{format_id(mail.envelope.alert_id)}",
        facts=_failure_facts(mail, failed),
    )


def _dead_letter(mail: QueuedMail, failed: Sequence[Delivery]) -> Alarm:
    state, kind = failed[0].state, kind_of(failed[0].reason)
    return Alarm(
        cause=f"{state}: {kind}",
        subject=f"A mail has failed: {kind}",
        text=_failures(mail, failed) + "It is kept as a dead letter. Once the reason is gone, have it sent again:"
        f"\n\nmailalert queue retry {format_id(mail.envelope.alert_id)}",
        facts=_failure_facts(mail, failed),
    )


def _failures(mail: QueuedMail, failed: Sequence[Delivery]) -> str:
    lines = _listed([_failure(mail, delivery) for delivery in failed])
    return "\n".join([f'The mail about "{mail.accepted.alert.subject}" does not get to everybody:', "", *lines, "", ""])


def _failure_facts(mail: QueuedMail, failed: Sequence[Delivery]) -> dict[str, str]:
    envelope = mail.envelope
    return {"alert": format_id(envelope.alert_id), "envelope": format_id(envelope.id), "reason": failed[0].reason}


def relay_alarm(relay: RelayVitals, *, others_work: bool) -> Alarm:
    """Return the alarm that one relay cannot be used."""
    return Alarm(
        cause=f"relay: {relay.name}",
        subject=f"The relay {relay.name} cannot be used",
        text="\n\n".join(
            [
                _relay_line(relay),
                "Mail leaves over the other relays." if others_work else "Mail waits in the journal; nothing is lost.",
                *_relay_advice([relay]),
            ]
        ),
        severity=Severity.WARNING if others_work else Severity.ERROR,
        facts={"relay": relay.name, "reason": relay.reason},
    )


def no_relay_alarm(relays: Sequence[RelayVitals], *, waiting: int) -> Alarm:
    """Return the alarm that no relay can be used, and how many mails wait for one."""
    return Alarm(
        cause="no relay",
        subject="No mail can leave",
        text="\n\n".join(
            [
                "\n".join(_listed([_relay_line(relay) for relay in relays])),
                f"{_mails(waiting)} in the journal, and nothing is lost. Sending goes on by itself once a relay works.",
                *_relay_advice(relays),
            ]
        ),
        facts={"waiting": str(waiting), "relays": ", ".join(relay.name for relay in relays)},
    )


def delay_alarm(waited: timedelta, *, waiting: int) -> Alarm:
    """Return the alarm that critical mail has waited too long."""
    return Alarm(
        cause="critical mail waits",
        subject=f"Critical mail has been waiting for {duration(waited)}",
        text=(
            f"The oldest critical mail has been waiting for {duration(waited)}. {_mails(waiting)} in all."
            "\n\n`mailalert queue list --state queued` shows them with the relay's last word on each."
        ),
        facts={"waited_seconds": str(int(waited.total_seconds())), "waiting": str(waiting)},
    )


def waiting_long_alarm(mail: QueuedMail, waited: timedelta, *, waiting: int) -> Alarm:
    """Return the alarm that this mail, the oldest, has waited for a day or more."""
    reasons = [delivery.reason for delivery in mail.pending if delivery.reason]
    said = f"\n\nWhat was last said of it: {reasons[0]}." if reasons else ""
    return Alarm(
        cause="mail waits for a day",
        subject=f"Mail has been waiting for {duration(waited)}",
        text=(
            f'The mail about "{mail.accepted.alert.subject}" has been waiting for {duration(waited)}.'
            f" {_mails(waiting)} in all.{said}"
            f"\n\n`mailalert queue list --state queued` shows what waits. At the end of its lifetime a mail"
            " becomes a dead letter, which can still be sent again."
        ),
        facts={"envelope": format_id(mail.envelope.id), "waited_seconds": str(int(waited.total_seconds()))},
    )


def quarantine_alarm(quarantine: str) -> Alarm:
    """Return the alarm that rows of the journal cannot be read; `quarantine` says how many."""
    return Alarm(
        cause="quarantine",
        subject="Some mails cannot be read from the journal",
        text=(
            f"{quarantine}. All others are sent. The log names each of them in an event mail_quarantined;"
            " they are tried again at the next start. See whether the disk is sound."
        ),
    )


def journal_alarm(fault: str) -> Alarm:
    """Return the alarm that the journal takes no alerts; `fault` says why."""
    return Alarm(
        cause="journal",
        subject="New alerts are not accepted",
        text=(
            f"The journal cannot take them: {fault}.\n\nThey are answered with 503 until this is mended."
            " What was accepted before is kept, and is being sent."
        ),
        facts={"fault": fault},
    )


def broken_journal_alarm(fault: str) -> Alarm:
    """Return the alarm that this run has to end, because its journal is broken for good; `fault` says how.

    A cause of its own: a full disk that was told of before must not silence it.
    """
    return Alarm(
        cause="journal broken",
        subject="The journal has failed, and sending has stopped",
        text=(
            f"{fault}\n\nNothing is written to the journal any more, and no mail leaves until the daemon has started"
            " anew. What was accepted is in the journal. See whether the disk is sound."
        ),
        facts={"fault": fault},
    )


def clock_alarm(jump: timedelta) -> Alarm:
    """Return the alarm that the wall clock jumped, forward or (negative) back."""
    way = "back" if jump < timedelta() else "forward"
    return Alarm(
        cause=f"clock: {way}",
        subject=f"The clock jumped {way} by {duration(abs(jump))}",
        text=(
            f"The time of day went {way} by {duration(abs(jump))} against the time that has passed."
            " No mail expires, none is removed and none waits longer because of it; but new mails carry the new time."
            "\n\nIf this machine slept, or its clock was set right, nothing needs to be done. Else see to its clock."
        ),
        severity=Severity.WARNING,
        facts={"seconds": str(round(jump.total_seconds()))},
    )


def rescue_alarm(*, copied: int, lost: int | None, lost_files: int, old_file: str) -> Alarm:
    """Return the alarm that a damaged journal was replaced: mails copied from `old_file`, and how many were lost.

    `lost` is None if not even their number could be read. `lost_files` are attachments of the mails that were copied.
    """
    losses = _losses(lost, lost_files)
    return Alarm(
        cause="journal rescued",
        subject=f"The journal was damaged: {losses or 'every mail that waited was saved'}",
        text=(
            "The journal's file was damaged, and a new one took its place. What waited was copied into it and is"
            f" being sent: {_counted(copied, 'mail')}.{f' But {losses}.' if losses else ''}"
            f"{' A mail whose attachment is lost goes without it, and says so.' if lost_files else ''}"
            f"\n\nThe damaged file is kept as {old_file}. See whether the disk is sound, and delete the file when"
            " you need it no more."
        ),
        facts={
            "copied": str(copied),
            "lost": "unknown" if lost is None else str(lost),
            "lost_attachments": str(lost_files),
            "old_file": old_file,
        },
    )


def _losses(lost: int | None, lost_files: int) -> str:
    mails = "an unknown number of mails" if lost is None else _counted(lost, "mail") if lost else ""
    files = _counted(lost_files, "attachment") if lost_files else ""
    what = " and ".join(filter(None, [mails, files]))
    return f"{what} could not be saved" if what else ""


def start_alarm(fault: str) -> Alarm:
    """Return the alarm that the daemon has ended before it could take alerts; `fault` says why."""
    return Alarm(
        cause="no start",
        subject="The Mail Alert System cannot start",
        text=(
            f"Its journal cannot be used: {fault}\n\nUntil that is mended no alert is taken and no mail leaves."
            " What was accepted before waits in it."
        ),
        facts={"fault": fault},
    )


def duration(time: timedelta) -> str:
    """Return the time in words, in its largest whole unit: "17 minutes"."""
    seconds = int(time.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return _counted(seconds // size, unit)
    return _counted(seconds, "second")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _mails(waiting: int) -> str:
    return f"{_counted(waiting, 'mail')} {'waits' if waiting == 1 else 'wait'}"


def _failure(mail: QueuedMail, delivery: Delivery) -> str:
    address = mail.letterhead.recipients[delivery.position].address
    server = f"server {delivery.remote}" if delivery.remote else f"relay {delivery.relay}"
    said = f" The {server} said: {delivery.reply}" if delivery.reply else ""
    return f"{address}: {sentence(delivery)}.{said}"


def _relay_line(relay: RelayVitals) -> str:
    return f"{relay.name}: {relay.reason}"


def _relay_advice(relays: Sequence[RelayVitals]) -> list[str]:
    if not any(relay.is_configuration for relay in relays):
        return []
    return ["Waiting does not help here: somebody has to change something. `mailalert check` shows the whole dialogue."]


def _listed(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MAX_NAMED
    return [*lines[:MAX_NAMED], f"and {more} more"] if more > 0 else [*lines]
