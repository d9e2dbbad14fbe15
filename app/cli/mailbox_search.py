"""Which mails somebody looks for. It asks headers first: every server can give those, and they are small."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.cli.ending import USAGE, fail
from app.cli.mail_view import person_text
from app.cli.mailbox_mails import MailHead, heads_of, mails_of, messages_of
from app.domain.mailbox_session import MailboxSession
from app.mail.reading.message import Message

STEP = 50  # mails whose headers are read before any text is, so that what was found soon is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a mail must have, all of it, in either case of letters; what is empty is not asked for."""

    words: str = ""
    sender: str = ""
    subject: str = ""
    since: datetime | None = None
    in_text: bool = False

    def may_be(self, head: Message) -> bool:
        """Whether all but the words fits. A mail without a date fits no `since`."""
        return (
            _holds(person_text(head.sender), self.sender)
            and _holds(head.subject, self.subject)
            and (self.since is None or (head.date is not None and head.date >= self.since))
        )

    def words_in_head(self, head: Message) -> bool:
        """Whether the words stand in the subject, or in a name or an address."""
        people = map(person_text, (head.sender, *head.to, *head.cc))
        return any(_holds(text, self.words) for text in (head.subject, *people))

    def words_in_text(self, message: Message) -> bool:
        """Whether the words stand in the text, or in the name of a file."""
        return any(_holds(text, self.words) for text in (message.text, *(file.name for file in message.files)))


def wanted_of(*, since: datetime | None, **others: Any) -> Wanted:
    """Return it as the command line has it, `since` in local time. Ends with 64 if nothing is looked for."""
    wanted = Wanted(since=since.astimezone() if since else None, **others)
    if wanted.in_text and not wanted.words:
        fail("--text looks for TEXT in the text of the mails: say for what", USAGE)
    if wanted == Wanted():
        fail("say what to look for: TEXT, --from, --subject or --since", USAGE)
    return wanted


async def search(session: MailboxSession, wanted: Wanted, *, limit: int) -> list[MailHead]:
    """Return what fits, the newest first, at least `limit` if there are as many."""
    found: list[MailHead] = []
    newest = list(reversed(await mails_of(session)))
    for start in range(0, len(newest), STEP):
        heads = await heads_of(session, newest[start : start + STEP])
        found += await _fitting(session, [head for head in heads if wanted.may_be(head.head)], wanted)
        if len(found) >= limit:
            break
    return found


async def _fitting(session: MailboxSession, heads: Sequence[MailHead], wanted: Wanted) -> list[MailHead]:
    fitting = {head.mail for head in heads if wanted.words_in_head(head.head)}
    if wanted.in_text:
        rest = [head.mail for head in heads if head.mail not in fitting]
        fitting |= {mail async for mail, message in messages_of(session, rest) if wanted.words_in_text(message)}
    return [head for head in heads if head.mail in fitting]


def _holds(text: str, words: str) -> bool:
    return words.casefold() in text.casefold()
