"""The SMTP door: a mail becomes an alert, and the client is told 250 once the journal has it."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import structlog

from app.domain.access import Principal
from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.receipt import Claim, claim_of
from app.domain.text import one_line
from app.intake.handing_over import hand_over
from app.intake.incoming import Reading
from app.intake.smtp.alert import alert_of
from app.intake.smtp.loops import loop_in
from app.intake.smtp.recipients import read_recipients
from app.mail.reading.message import Message
from app.mail.reading.reader import read_message
from app.pipeline.ingest import Taker
from app.smtpd.mail import ReceivedMail
from app.smtpd.sessions import SHUTTING_DOWN

log = structlog.get_logger()

LARGE = 262_144  # bytes; reading a mail takes many times its size of memory for a moment, so only one at a time
ACCEPTED = "250 2.0.0 Accepted as {name}"
LOOP = "554 5.4.6 Refused: {reason}"  # RFC 3463 section 3.5: routing loop detected
NOT_NOW = "451 4.3.0 The journal cannot take the mail now, try again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """How the door sees mails: whose they are without a login, and what it takes of them.

    `receivers` are the names that a recipient may choose. `is_ours` knows the Message-IDs that this daemon makes.
    """

    anybody: Principal
    receivers: Iterable[str]
    attachments_limit: int
    is_ours: Callable[[str], bool]


class SmtpDoor:
    """Takes mails of the SMTP server. `loops_stopped` counts those that would have gone round in circles."""

    def __init__(self, once: Taker, *, rules: DoorRules, is_closed: Callable[[], bool]) -> None:
        """`is_closed` says whether the intake has ended because the daemon shuts down."""
        self._once = once
        self._rules = rules
        self._is_closed = is_closed
        self._receivers = {name.lower(): name for name in rules.receivers}
        self._reads_large = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smtp-mail")
        self.loops_stopped = 0

    def close(self) -> None:
        """Let go of the thread."""
        self._reads_large.shutdown(wait=False, cancel_futures=True)

    async def receive(self, mail: ReceivedMail) -> str:
        """Return the reply, 250 only once the alert is durable."""
        if self._is_closed():
            return SHUTTING_DOWN
        understood = await self._in_thread(mail)
        if isinstance(understood, str):
            self.loops_stopped += 1
            log.warning("mail_refused", reason=understood, peer=mail.peer, loops_stopped=self.loops_stopped)
            return LOOP.format(reason=understood)
        alert, claims = understood
        try:
            _, names = await hand_over(self._once, Reading((alert,)), claims, log, door="smtp")
        except JournalUnavailable:
            return SHUTTING_DOWN if self._is_closed() else NOT_NOW
        return ACCEPTED.format(name=names[0])

    async def _in_thread(self, mail: ReceivedMail) -> str | tuple[Alert, list[Claim]]:
        """Do there all that takes longer for a longer mail: posts must not wait for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reads_large if len(mail.data) > LARGE else None, self._understand, mail)

    def _understand(self, mail: ReceivedMail) -> str | tuple[Alert, list[Claim]]:
        """Return the alert with the claims on it, or why there must be none."""
        message = read_message(mail.data)
        reason = loop_in(message, mail_from=mail.mail_from, is_ours=self._rules.is_ours)
        if reason:
            return reason
        principal = mail.principal or self._rules.anybody
        return self._alert_of(message, mail, principal), _claims(message, mail, principal)

    def _alert_of(self, message: Message, mail: ReceivedMail, principal: Principal) -> Alert:
        return alert_of(
            message,
            read_recipients(mail.recipients, self._receivers),
            recipients=mail.recipients,
            sender=principal.source or one_line(mail.mail_from) or mail.peer,
            attachments_limit=self._rules.attachments_limit,
        )


def _claims(message: Message, mail: ReceivedMail, principal: Principal) -> list[Claim]:
    """Return a claim on the mail: a client that did not hear our 250 sends it again, and it is the same one.

    Only with a Message-ID and a Date, which no two mails share. What small devices send is the same every time.
    """
    if not (message.message_id and message.date):
        return []
    envelope = "\n".join([mail.mail_from, *mail.recipients]).encode()
    name = sha256(sha256(envelope).digest() + mail.data).hexdigest()
    return [claim_of(f"smtp:{name}", mail.data, fingerprint=principal.fingerprint)]
