"""Mails that come back: what a report changes in the journal, and who is told of it."""

from collections.abc import Callable

import structlog

from app.domain.alarm import Alarm, RaiseAlarm
from app.domain.alarm_causes import bounce_alarm
from app.domain.bounce import BounceEffect, BounceReport
from app.domain.envelope import DeliveryState
from app.domain.ids import format_id
from app.domain.mail_read import MailRead
from app.domain.mailbox_alarms import unplaced_bounce_alarm
from app.domain.ports import MailboxStore
from app.pipeline.set_aside import SetAside

log = structlog.get_logger()


class BounceDesk:
    """Takes reports of servers behind the relay."""

    def __init__(
        self,
        *,
        store: MailboxStore,
        set_aside: SetAside,
        set_aside_after: int,
        raise_about: Callable[[int, Alarm], None],
        raise_alarm: RaiseAlarm,
    ) -> None:
        """`raise_about` raises an alarm about the mails of an alert, which may be held back."""
        self._store = store
        self._set_aside = set_aside
        self._set_aside_after = set_aside_after
        self._raise_about = raise_about
        self._raise_alarm = raise_alarm

    async def take(self, report: BounceReport, read: MailRead, *, is_final: bool) -> bool:
        """Record what the report changes, together with its having been read. Raises JournalUnavailable.

        Return False for one that comes before the outcome of its mail is on record, unless it `is_final`.
        """
        effect = await self._store.take_bounce(report, read, set_aside_after=self._set_aside_after, is_final=is_final)
        if effect is None:
            log.info("bounce_of_unknown_mail", envelope=format_id(report.envelope_id))
            return True
        if effect.is_early and not is_final:
            log.info("bounce_is_early", envelope=format_id(report.envelope_id))
            return False
        self._note(report, effect)
        return True

    def _note(self, report: BounceReport, effect: BounceEffect) -> None:
        mail = effect.mail
        for delivery in effect.touched:
            log.warning(
                "mail_bounced" if delivery.state is DeliveryState.BOUNCED else "mail_delayed",
                envelope=format_id(report.envelope_id),
                alert=format_id(mail.envelope.alert_id),
                recipient=mail.letterhead.recipients[delivery.position].address,
                remote=delivery.remote,
                reply=delivery.reply,
            )
        for entry in effect.counted_out:
            self._set_aside.add(entry)
        if alarm := bounce_alarm(effect):
            self._raise_about(mail.envelope.alert_id, alarm)
        if effect.unplaced and not effect.touched:
            log.warning("bounce_not_placed", envelope=format_id(report.envelope_id))
            self._raise_alarm(unplaced_bounce_alarm(mail, effect.unplaced))
