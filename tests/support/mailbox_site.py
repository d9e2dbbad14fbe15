"""The reading side on a real journal, with a mailbox in memory: what its tests share."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.domain.access import AllowedRecipients
from app.domain.alarm import Alarm
from app.domain.alert import Alert
from app.domain.envelope import QueuedMail
from app.domain.ids import IdSource
from app.domain.mail_read import AfterReading
from app.domain.receiver import DEFAULT_RECEIVER, Receiver
from app.intake.mailbox import MailboxDoor, MailboxRules
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.mail.sorting.sorter import MailSorter
from app.mailbox.handling import Desks, MailHandling
from app.mailbox.look import MailboxLook
from app.mailbox.poller import Poller
from app.mailbox.rules import PollRules
from app.pipeline.acknowledgements import Acknowledgements
from app.pipeline.address_book import AddressBook, Entry, PeopleNamed
from app.pipeline.bounces import BounceDesk
from app.pipeline.held_alarms import HeldAlarms
from app.pipeline.ingest import Ingest, MailPlan
from app.pipeline.set_aside import SetAside
from app.storage.journal import SqliteJournal
from tests.support.clock import FakeClock
from tests.support.factories import LETTERHEAD, SENT, due_query, judged
from tests.support.fake_mailbox import FakeMailbox

NAME = "pop3:alerts@mail.example.org"
MAX_BYTES = 1 << 20
BACKLOG_LIMIT = 50  # mails
MINUTE = timedelta(minutes=1)
MANY_OPEN = timedelta(days=400)


@dataclass(slots=True)
class MailboxSite:
    """Everything behind a mailbox. `alarms` are those that were raised."""

    journal: SqliteJournal
    mailbox: FakeMailbox = field(default_factory=FakeMailbox)
    clock: FakeClock = field(default_factory=FakeClock)
    alarms: list[Alarm] = field(default_factory=list)
    ids: IdSource = field(default_factory=IdSource)
    set_aside_after: int = 2
    intake: bool = False
    confirms: bool = True
    is_expecting: bool = False
    attachments_limit: int = MAX_BYTES
    rules: PollRules = field(default_factory=lambda: PollRules(max_bytes=MAX_BYTES))
    ack_from: AllowedRecipients | None = None
    ingest: Ingest = field(init=False)
    acknowledgements: Acknowledgements = field(init=False)
    set_aside: SetAside = field(init=False)
    held: HeldAlarms = field(init=False)
    handling: MailHandling = field(init=False)
    poller: Poller = field(init=False)

    async def start(self) -> "MailboxSite":
        """Build the parts, as a start of the daemon does."""
        self.ids = IdSource(last=self.journal.last_id)
        number = await self.journal.keep(LETTERHEAD)
        book = AddressBook(
            receivers={DEFAULT_RECEIVER: Entry(Receiver(name=DEFAULT_RECEIVER, to=LETTERHEAD.recipients), number)},
            kept_under=number,
            people=PeopleNamed(letterhead=LETTERHEAD, keep=self.journal.keep),
        )
        plan = MailPlan(address_book=book, usable_seconds=lambda: 0, running_seconds=lambda: 0)
        self.ingest = Ingest(
            store=self.journal, ids=self.ids, clock=self.clock, plan=plan, on_accepted=lambda _severity: None
        )
        self.acknowledgements = Acknowledgements(
            store=self.journal, take=self.ingest, clock=self.clock, ack_from=self.ack_from, confirms=self.confirms
        )
        await self.acknowledgements.load()
        self.set_aside = SetAside(self.journal.mailbox)
        await self.set_aside.load()
        self._build_poller()
        return self

    def _build_poller(self) -> None:
        message_ids = MessageIds(self.journal.mac_key)
        rules = MailboxRules(
            receivers=(),
            people=[mailbox.address for mailbox in LETTERHEAD.recipients],
            attachments_limit=self.attachments_limit,
            is_ours=message_ids.is_ours,
        )
        self.held = HeldAlarms(is_acknowledged=self.acknowledgements.holds, raise_alarm=self.alarms.append)
        bounces = BounceDesk(
            store=self.journal.mailbox,
            set_aside=self.set_aside,
            set_aside_after=self.set_aside_after,
            raise_about=self.held.raise_about,
            raise_alarm=self.alarms.append,
        )
        self.handling = MailHandling(
            Desks(
                bounces=bounces,
                acknowledgements=self.acknowledgements,
                intake=MailboxDoor(self.ingest, rules=rules, clock=self.clock) if self.intake else None,
            ),
            sorter=MailSorter(message_ids),
            store=self.journal.mailbox,
            clock=self.clock,
            after=self.rules.after,
            raise_alarm=self.alarms.append,
        )
        look = MailboxLook(NAME, store=self.journal.mailbox, handling=self.handling, rules=self.rules, clock=self.clock)
        self.poller = Poller(
            NAME,
            connect=self.mailbox.connect,
            look=look,
            handling=self.handling,
            clock=self.clock,
            every=MINUTE,
            is_expecting=lambda: self.is_expecting,
            is_closed=lambda: self.ingest.closed,
        )

    def with_rules(self, **rules: object) -> None:
        """Read by other rules from the next start on."""
        self.rules = replace(self.rules, **rules)  # type: ignore[arg-type]  # whatever the test names

    async def poll(self) -> timedelta:
        """Look into the mailbox once; return the pause that follows."""
        return await self.poller._visit()

    async def alert_mail(self, **of: object) -> QueuedMail:
        """Accept an alert, let the relay take its mail for everybody, and return the mail."""
        receipt = await self.ingest.accept([Alert(**{"subject": "disk full", **of})])  # type: ignore[arg-type]  # as above
        (mail,) = [
            mail
            for mail in await self.journal.due(due_query(until=self.clock.now()))
            if mail.accepted.id in receipt.ids
        ]
        await self.journal.record(judged(mail, [SENT] * len(mail.deliveries), at=self.clock.now()))
        return mail

    def rendered(self, mail: QueuedMail) -> bytes:
        """Return the mail as it was sent."""
        return Composer(mac_key=self.journal.mac_key).render(mail)

    async def waiting(self) -> list[QueuedMail]:
        """Return the mails that are to be sent."""
        return await self.journal.due(due_query(until=self.clock.now() + MANY_OPEN))


KEEP, DELETE, MOVE = AfterReading.KEEP, AfterReading.DELETE, AfterReading.MOVE
