"""The mail about a relay that takes mail which does not arrive: it goes over the others, at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from app.delivery.direct import DirectSender
from app.domain.alert import Alert
from app.domain.envelope import Letterhead
from app.domain.ids import IdSource
from app.domain.lone_mail import lone_mail
from app.domain.outcome import Deferred, Outcome, Sent, in_words
from app.domain.ports import Clock
from app.mail.compose import Composer
from app.protocols.smtp.transaction import OutgoingMail

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectAlarm:
    """Makes the mail under the letterhead of alarms, and tries one relay behind the other."""

    sender: DirectSender
    composer: Composer
    letterhead: Letterhead
    ids: IdSource
    clock: Clock

    async def send(self, alert: Alert, not_over: str) -> bool:
        """Return whether somebody has it by a relay other than `not_over`, and nobody waits for it any more.

        If not, some may have it, who get it twice once it goes through the queue.
        """
        mail = self._mail(alert)
        outcomes: dict[str, Outcome] = {}
        for relay in self.sender.relays:
            waiting = [person for person in mail.recipients if not isinstance(outcomes.get(person), Sent)]
            if relay != not_over and waiting:
                outcomes |= await self._try(relay, replace(mail, recipients=tuple(waiting)))
        return _is_settled([outcomes.get(person) for person in mail.recipients])

    async def _try(self, relay: str, mail: OutgoingMail) -> dict[str, Outcome]:
        outcomes = dict(zip(mail.recipients, await self.sender.send(relay, mail), strict=True))
        failed = [outcome for outcome in outcomes.values() if not isinstance(outcome, Sent)]
        log.info(
            "alarm_sent_directly" if not failed else "alarm_not_sent_directly",
            relay=relay,
            envelope=mail.envelope_id.partition(".")[0],
            reason=in_words(failed[0]) if failed else "",
        )
        return outcomes

    def _mail(self, alert: Alert) -> OutgoingMail:
        now = self.clock.now()
        number = self.ids.next_id(int(now.timestamp() * 1000))
        mail = lone_mail(alert, self.letterhead, number=number, at=now)
        return OutgoingMail(
            sender=self.letterhead.sender.address,
            recipients=tuple(mailbox.address for mailbox in self.letterhead.recipients),
            data=self.composer.render(mail),
            envelope_id=self.composer.envelope_id(mail),
        )


def _is_settled(outcomes: Sequence[Outcome | None]) -> bool:
    """Tell whether somebody has the mail, and to nobody it may come later."""
    has_one = any(isinstance(outcome, Sent) for outcome in outcomes)
    return has_one and not any(outcome is None or isinstance(outcome, Deferred) for outcome in outcomes)
