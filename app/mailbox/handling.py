"""What is done about one mail: it is read, sorted, acted upon, and recorded together with what it changes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import structlog

from app.domain.alarm import RaiseAlarm
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


class MailIntake(Protocol):
    """Makes alerts of mails that are nothing else."""

    async def take(self, message: Message, read: Callable[[str], MailRead]) -> str:
        """Take the alert and the record that it was read, together; return a note. Raises JournalUnavailable.

        What must not become an alert is recorded all the same, with the reason.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Who acts on what kind of mail; None where the settings leave it out."""

    bounces: BounceDesk
    acknowledgements: Acknowledgements
    probes: ProbeDesk | None = None
    intake: MailIntake | None = None


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail on its way through the desks."""

    mailbox: MailboxName
    uid: str
    message: Message
    sorted: SortedMail


class MailHandling:
    """Takes mails one after the other. `set_aside` counts those of this run that cannot be read."""

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
        """`after` says whether the server is to be rid of what was acted upon."""
        self._desks = desks
        self._sorter = sorter
        self._store = store
        self._clock = clock
        self._removes = after is not AfterReading.KEEP
        self._raise_alarm = raise_alarm
        # One at a time: reading a mail takes many times its size of memory for a moment.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailbox-mail")
        self.read = 0
        self.set_aside = 0

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def take(self, mailbox: MailboxName, uid: str, data: bytes, *, attempts: int) -> bool:
        """Act on the mail; return whether it is recorded now, else it is tried again. Raises JournalUnavailable.

        `attempts` have begun, this one among them.
        """
        try:
            message, found = await asyncio.get_running_loop().run_in_executor(self._thread, self._understand, data)
            await self._act(_Mail(mailbox, uid, message, found))
        except JournalUnavailable:
            raise
        except Exception as error:  # the top of one mail: the others are read whatever it does
            log.exception("mail_not_read", mailbox=mailbox.name, uid=uid, attempts=attempts)
            if attempts < MAX_ATTEMPTS:
                return False
            await self.leave(mailbox, uid, f"reading it fails here: {type(error).__name__}")
        self.read += 1
        return True

    async def leave(self, mailbox: MailboxName, uid: str, why: str) -> None:
        """Set the mail aside, and say so. Raises JournalUnavailable."""
        await self._store.note_read(
            [MailRead(mailbox=mailbox, uid=uid, at=self._clock.now(), what=SET_ASIDE, note=why)]
        )
        self.set_aside += 1
        log.error("mail_set_aside", mailbox=mailbox.name, uid=uid, reason=why)
        self._raise_alarm(unreadable_mail_alarm(mailbox.name, uid, why))

    def _understand(self, data: bytes) -> tuple[Message, SortedMail]:
        message = read_message(data)
        return message, self._sorter.sort(message, data)

    async def _act(self, mail: _Mail) -> None:
        """Do what follows from the kind of the mail."""
        note = mail.sorted.why
        match mail.sorted.kind:
            case MailKind.BOUNCE if mail.sorted.report is not None:
                await self._desks.bounces.take(mail.sorted.report, self._record(mail, note, removes=True))
            case MailKind.ACKNOWLEDGEMENT:
                note = await self._acknowledge(mail)
            case MailKind.PROBE:
                if self._desks.probes is not None and mail.sorted.probe is not None:
                    self._desks.probes.arrived(mail.sorted.probe)
                await self._store.note_read([self._record(mail, note, removes=True)])
            case MailKind.OTHER if self._desks.intake is not None:
                note = await self._desks.intake.take(
                    mail.message, lambda told: self._record(mail, told, removes=self._removes)
                )
            case _:
                # A person should read an answer without a command, and what this system makes nothing of.
                removes = self._removes and mail.sorted.kind is MailKind.AUTOMATIC
                await self._store.note_read([self._record(mail, note, removes=removes)])
        log.info("mail_read", mailbox=mail.mailbox.name, uid=mail.uid, kind=mail.sorted.kind, note=note)

    async def _acknowledge(self, mail: _Mail) -> str:
        command, envelope_id = mail.sorted.command, mail.sorted.envelope_id
        assert command is not None, "the sorter gives a command with an acknowledgement"
        assert envelope_id is not None, "and the mail that it answers"
        return await self._desks.acknowledgements.take_answer(
            mail.message,
            envelope_id=envelope_id,
            action=command.action,
            lasts=command.lasts,
            read=lambda note: self._record(mail, note, removes=self._removes),
        )

    def _record(self, mail: _Mail, note: str, *, removes: bool) -> MailRead:
        return MailRead(
            mailbox=mail.mailbox,
            uid=mail.uid,
            at=self._clock.now(),
            what=mail.sorted.kind,
            note=note,
            removes=removes,
        )
