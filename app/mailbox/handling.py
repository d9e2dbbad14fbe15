"""What is done about one mail: it is read, sorted, acted upon, and recorded together with what it changes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Protocol

import structlog

from app.domain.alarm import RaiseAlarm
from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.mail_kind import MailKind
from app.domain.mail_read import SET_ASIDE, AfterReading, MailboxName, MailRead
from app.domain.mailbox_alarms import unreadable_mail_alarm
from app.domain.ports import Clock, MailboxStore
from app.mail.reading.message import Message
from app.mail.reading.reader import read_message
from app.mail.sorting.sorted_mail import SortedMail
from app.mail.sorting.sorter import MailSorter
from app.pipeline.acknowledgements import Acknowledgements
from app.pipeline.bounces import BounceDesk
from app.pipeline.probes import ProbeDesk

log = structlog.get_logger()

MAX_ATTEMPTS = 3  # that end with a fault or with the daemon; a crash of another cause is no fault of the mail
# A bounce can be here before the outcome of its mail is on record, for as long as that mail goes to others yet.
EARLY_FOR = timedelta(minutes=30)


class Handled(Enum):
    """What came of a mail."""

    RECORDED = auto()
    FAILED = auto()  # to be tried again, and this attempt counts
    TOO_EARLY = auto()  # to be read again soon, and this attempt does not count


class MailIntake(Protocol):
    """Makes alerts of mails that are nothing else."""

    def alert_of(self, message: Message) -> Alert | str:
        """Return the alert, or why there must be none. It takes time with a long mail, and needs no event loop."""

    async def take(self, alert: Alert, read: MailRead) -> str:
        """Take the alert and the record that its mail was read, together; return its id. Raises JournalUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Who acts on what kind of mail; None where the settings leave it out."""

    bounces: BounceDesk
    acknowledgements: Acknowledgements
    probes: ProbeDesk | None = None
    intake: MailIntake | None = None


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail on its way through the desks. `alert` is what the intake makes of it, or why it makes nothing."""

    mailbox: MailboxName
    uid: str
    message: Message
    sorted: SortedMail
    alert: Alert | str = ""


class MailHandling:
    """Takes mails one after the other. `read` counts those that were understood, `set_aside` those that cannot be."""

    def __init__(
        self,
        desks: Desks,
        *,
        sorter: MailSorter,
        store: MailboxStore,
        clock: Clock,
        after: AfterReading,
        raise_alarm: RaiseAlarm,
    ) -> None:
        """`after` is what becomes of mails that were acted upon."""
        self._desks = desks
        self._sorter = sorter
        self._store = store
        self._clock = clock
        self._after = after
        self._raise_alarm = raise_alarm
        # One at a time: reading a mail takes many times its size of memory for a moment.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailbox-mail")
        self._early_since: dict[str, float] = {}  # uids of bounces, and monotonic seconds
        self.read = 0
        self.set_aside = 0

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def take(self, mailbox: MailboxName, uid: str, data: bytes, *, attempts: int) -> Handled:
        """Act on the mail, and return what came of it. Raises JournalUnavailable.

        `attempts` have begun, this one among them.
        """
        try:
            message, found, alert = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._understand, data
            )
            is_recorded = await self._act(_Mail(mailbox, uid, message, found, alert))
        except JournalUnavailable:
            raise
        except Exception as error:  # the top of one mail: the others are read whatever it does
            log.exception("mail_not_read", mailbox=mailbox.name, uid=uid, attempts=attempts)
            if attempts < MAX_ATTEMPTS:
                return Handled.FAILED
            await self.leave(mailbox, uid, f"reading it fails here: {type(error).__name__}")
            return Handled.RECORDED
        self.read += is_recorded
        return Handled.RECORDED if is_recorded else Handled.TOO_EARLY

    async def leave(self, mailbox: MailboxName, uid: str, why: str) -> None:
        """Set the mail aside for good, and say so. Raises JournalUnavailable."""
        await self._store.note_read(
            [MailRead(mailbox=mailbox, uid=uid, at=self._clock.now(), what=SET_ASIDE, note=why)]
        )
        self.tell(mailbox, uid, why)

    def tell(self, mailbox: MailboxName, uid: str, why: str) -> None:
        """Say that a mail cannot be read."""
        self.set_aside += 1
        log.error("mail_set_aside", mailbox=mailbox.name, uid=uid, reason=why)
        self._raise_alarm(unreadable_mail_alarm(mailbox.name, uid, why))

    def _understand(self, data: bytes) -> tuple[Message, SortedMail, Alert | str]:
        message = read_message(data)
        found = self._sorter.sort(message, data)
        intake = self._desks.intake
        return message, found, intake.alert_of(message) if intake and found.kind is MailKind.OTHER else ""

    async def _act(self, mail: _Mail) -> bool:
        """Do what follows from the kind of the mail; return whether it is on record now.

        What nothing was done with stays on the server: a person may want to read it.
        """
        match mail.sorted.kind:
            case MailKind.BOUNCE:
                note = await self._take_bounce(mail)
            case MailKind.ACKNOWLEDGEMENT:
                note = await self._acknowledge(mail)
            case MailKind.PROBE:
                note = await self._note_arrival(mail)
            case MailKind.OTHER:
                note = await self._take_alert(mail)
            case MailKind.AUTOMATIC:
                note = await self._note(mail, mail.sorted.why, then=self._after)
            case _:
                note = await self._note(mail, mail.sorted.why)
        if note is not None:
            log.info("mail_read", mailbox=mail.mailbox.name, uid=mail.uid, kind=mail.sorted.kind, note=note)
        return note is not None

    async def _take_bounce(self, mail: _Mail) -> str | None:
        """Return a note, None for a report that comes too early."""
        if mail.sorted.probe is not None:
            return await self._note_return(mail, mail.sorted.probe)
        assert mail.sorted.report is not None, "the sorter gives a report with a bounce, or a probe"
        now = self._clock.monotonic()
        waits_since = self._early_since.setdefault(mail.uid, now)
        is_final = now - waits_since >= EARLY_FOR.total_seconds()
        read = self._record(mail, mail.sorted.why, then=AfterReading.DELETE)
        if not await self._desks.bounces.take(mail.sorted.report, read, is_final=is_final):
            return None
        del self._early_since[mail.uid]
        return mail.sorted.why

    async def _acknowledge(self, mail: _Mail) -> str:
        command, envelope_id = mail.sorted.command, mail.sorted.envelope_id
        assert command is not None, "the sorter gives a command with an acknowledgement"
        assert envelope_id is not None, "and the mail that it answers"
        refusal = await self._desks.acknowledgements.take_answer(
            mail.message,
            envelope_id=envelope_id,
            action=command.action,
            lasts=command.lasts,
            read=self._record(mail, mail.sorted.why, then=self._after),
        )
        return mail.sorted.why if not refusal else await self._note(mail, refusal)

    async def _note_arrival(self, mail: _Mail) -> str:
        if self._desks.probes is not None and mail.sorted.probe is not None:
            self._desks.probes.arrived(mail.sorted.probe)
        return await self._note(mail, mail.sorted.why, then=AfterReading.DELETE)

    async def _note_return(self, mail: _Mail, number: int) -> str:
        """A probe came back."""
        if self._desks.probes is not None and mail.sorted.words:
            self._desks.probes.came_back(number, mail.sorted.words)
        return await self._note(mail, mail.sorted.why, then=AfterReading.DELETE)

    async def _take_alert(self, mail: _Mail) -> str:
        if self._desks.intake is None or isinstance(mail.alert, str):
            return await self._note(mail, mail.alert if isinstance(mail.alert, str) and mail.alert else mail.sorted.why)
        # A file for which there was no room is to be had here alone.
        is_whole = len(mail.alert.attachments) == len(mail.message.files)
        read = self._record(mail, "it became an alert", then=self._after if is_whole else AfterReading.KEEP)
        return f"it became the alert {await self._desks.intake.take(mail.alert, read)}"

    async def _note(self, mail: _Mail, note: str, *, then: AfterReading = AfterReading.KEEP) -> str:
        await self._store.note_read([self._record(mail, note, then=then)])
        return note

    def _record(self, mail: _Mail, note: str, *, then: AfterReading) -> MailRead:
        kind = mail.sorted.kind
        return MailRead(mailbox=mail.mailbox, uid=mail.uid, at=self._clock.now(), what=kind, note=note, then=then)
