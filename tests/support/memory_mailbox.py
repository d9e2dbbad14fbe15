"""What a journal in memory keeps of the mailbox: which mails were read, bounces, and addresses set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.domain.address import folded
from app.domain.bounce import BOUNCE_MEMORY, BounceEffect, BounceReport, SetAsideAddress, judge_bounce
from app.domain.ids import time_of
from app.domain.mail_read import AfterReading, MailboxName, MailRead, RemovableMail, UnreadMail
from tests.support.memory_entry import Entry

MAX_TO_REMOVE = 1000
MAX_FORGOTTEN = 1000


@dataclass(slots=True)
class Mailbox:
    """The known epoch of a mailbox: what was read, and how often reading began."""

    epoch: str
    reads: dict[str, MailRead] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Bounces:
    """The hard bounces of an address, by envelope, and since when it has no mail."""

    counted: set[int] = field(default_factory=set)
    reply: str = ""
    since: datetime | None = None


class MemoryMailbox:
    """The ports of the mailbox over the mails of a journal, by the ids of their envelopes."""

    def __init__(self, entries: Mapping[int, Entry]) -> None:
        self._entries = entries
        self._mailboxes: dict[str, Mailbox] = {}
        self._bounces: dict[str, Bounces] = {}

    async def is_known(self, mailbox: MailboxName) -> bool:
        """Tell whether this mailbox was polled before, in this epoch."""
        return self._known(mailbox) is not None

    async def was_polled(self, name: str) -> bool:
        """Tell whether the mailbox of this name was polled before."""
        return name in self._mailboxes

    async def unread(self, mailbox: MailboxName, uids: Sequence[str]) -> list[UnreadMail]:
        """Return which of these have no record yet."""
        known = self._known(mailbox) or Mailbox("")
        return [UnreadMail(uid, known.attempts.get(uid, 0)) for uid in uids if uid not in known.reads]

    async def begin_poll(self, mailbox: MailboxName, seen: Sequence[MailRead]) -> None:
        """Begin an epoch with what is there."""
        self._mailboxes[mailbox.name] = Mailbox(mailbox.epoch, {read.uid: read for read in seen})

    async def begin_reading(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Count an attempt for each."""
        known = self._known(mailbox) or Mailbox("")
        for uid in uids:
            known.attempts[uid] = known.attempts.get(uid, 0) + 1

    async def note_read(self, reads: Sequence[MailRead]) -> None:
        """Record that these were read."""
        self.take_reads(reads)

    def take_reads(self, reads: Sequence[MailRead]) -> None:
        """Record those of an epoch that is known."""
        for read in reads:
            known = self._known(read.mailbox)
            if known is not None:
                known.reads[read.uid] = read

    async def to_remove(self, mailbox: MailboxName) -> list[RemovableMail]:
        """Return what is to go from the server."""
        known = self._known(mailbox) or Mailbox("")
        present = [(uid, read.then) for uid, read in sorted(known.reads.items()) if uid not in known.gone]
        return [RemovableMail(uid, then) for uid, then in present if then is not AfterReading.KEEP][:MAX_TO_REMOVE]

    async def note_gone(self, mailbox: MailboxName, uids: Sequence[str], at: datetime) -> None:
        """Note since when these are gone."""
        known = self._known(mailbox) or Mailbox("")
        for uid in uids:
            if uid in known.reads or uid in known.attempts:
                known.gone.setdefault(uid, at)

    async def note_back(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Note that these are there."""
        known = self._known(mailbox) or Mailbox("")
        for uid in uids:
            known.gone.pop(uid, None)

    async def forget_gone(self, mailbox: MailboxName, before: datetime) -> None:
        """Forget those that have been gone since before that time."""
        known = self._known(mailbox) or Mailbox("")
        longest = sorted(known.gone, key=known.gone.__getitem__)[:MAX_FORGOTTEN]
        for uid in [uid for uid in longest if known.gone[uid] < before]:
            del known.gone[uid]
            known.reads.pop(uid, None)
            known.attempts.pop(uid, None)

    async def end_attempt(self, mailbox: MailboxName, uids: Sequence[str]) -> None:
        """Take one attempt at each back."""
        known = self._known(mailbox) or Mailbox("")
        for uid in uids:
            known.attempts[uid] = max(0, known.attempts.get(uid, 0) - 1)

    async def recorded(self, mailbox: MailboxName) -> list[str]:
        """Return the uids of all mails that were read."""
        return sorted((self._known(mailbox) or Mailbox("")).reads)

    async def take_bounce(
        self, report: BounceReport, read: MailRead, *, set_aside_after: int, is_final: bool
    ) -> BounceEffect | None:
        """Take what the report changes, and that it was read."""
        entry = self._entries.get(report.envelope_id)
        if entry is None:
            self.take_reads([read])
            return None
        verdict = judge_bounce(entry.mail, report)
        if verdict.is_early and not is_final:
            return BounceEffect(entry.mail_now, is_early=True, unplaced=verdict.unplaced)
        stays = verdict.is_early or not (verdict.touched or verdict.is_repeated)
        self.take_reads([replace(read, then=AfterReading.KEEP) if stays else read])
        entry.bounce(verdict, read.at)
        replies = {d.position: d.reply for d in verdict.touched}
        addresses = {position: entry.mail.letterhead.recipients[position].address for position in sorted(verdict.hard)}
        counted = [
            self._count(address, report.envelope_id, read.at, replies[position], set_aside_after)
            for position, address in addresses.items()
        ]
        return BounceEffect(
            entry.mail_now,
            verdict.touched,
            tuple(filter(None, counted)),
            is_early=verdict.is_early,
            unplaced=verdict.unplaced,
        )

    def _count(
        self, address: str, envelope_id: int, at: datetime, reply: str, set_aside_after: int
    ) -> SetAsideAddress | None:
        bounces = self._bounces.setdefault(folded(address), Bounces())
        bounces.counted = {number for number in bounces.counted if time_of(number) >= at - BOUNCE_MEMORY}
        bounces.counted.add(envelope_id)
        bounces.reply = reply
        if bounces.since is not None or not 0 < set_aside_after <= len(bounces.counted):
            return None
        bounces.since = at
        return SetAsideAddress(folded(address), len(bounces.counted), at, reply)

    async def set_aside(self) -> list[SetAsideAddress]:
        """Return the recipients whose mails bounced too often."""
        return [
            SetAsideAddress(address, len(bounces.counted), bounces.since, bounces.reply)
            for address, bounces in sorted(self._bounces.items())
            if bounces.since is not None
        ]

    async def release(self, address: str) -> bool:
        """Let the address have mail again."""
        bounces = self._bounces.get(folded(address), Bounces())
        if bounces.since is None:
            return False
        del self._bounces[folded(address)]
        return True

    def _known(self, mailbox: MailboxName) -> Mailbox | None:
        known = self._mailboxes.get(mailbox.name)
        return known if known is not None and known.epoch == mailbox.epoch else None
