"""Mails that come back: what a report changes in the journal, and who is told of it."""

from collections.abc import Callable

import structlog

from app.domain.alarm import RaiseAlarm
from app.domain.alarm_causes import bounce_alarm
from app.domain.bounce import BounceEffect, BounceReport
from app.domain.envelope import DeliveryState
from app.domain.ids import format_id
from app.domain.mail_read import MailRead
from app.domain.mailbox_alarms import set_aside_alarm
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
        is_acknowledged: Callable[[int], bool],
        raise_alarm: RaiseAlarm,
    ) -> None:
        """`is_acknowledged` tells of an alert that somebody sees to it, so that no alarm is raised about its mails."""
        self._store = store
        self._set_aside = set_aside
        self._set_aside_after = set_aside_after
        self._is_acknowledged = is_acknowledged
        self._raise_alarm = raise_alarm

    async def take(self, report: BounceReport, read: MailRead) -> None:
        """Record what the report changes, together with its having been read. Raises JournalUnavailable."""
        effect = await self._store.take_bounce(report, read, set_aside_after=self._set_aside_after)
        if effect is None:
            log.info("bounce_of_unknown_mail", envelope=format_id(report.envelope_id))
            return
        for delivery in effect.touched:
            log.warning(
                "mail_bounced" if delivery.state is DeliveryState.BOUNCED else "mail_delayed",
                envelope=format_id(report.envelope_id),
                alert=format_id(effect.mail.envelope.alert_id),
                recipient=effect.mail.letterhead.recipients[delivery.position].address,
                remote=delivery.remote,
                reply=delivery.reply,
            )
        self._tell(effect)

    def _tell(self, effect: BounceEffect) -> None:
        alarm = bounce_alarm(effect)
        if alarm is not None and not self._is_acknowledged(effect.mail.envelope.alert_id):
            self._raise_alarm(alarm)
        replies = {effect.mail.letterhead.recipients[d.position].address: d.reply for d in effect.touched}
        for address in effect.counted_out:
            self._set_aside.add(address)
            reply = replies.get(address, "")
            self._raise_alarm(set_aside_alarm(address, bounces=self._set_aside_after, reply=reply))
