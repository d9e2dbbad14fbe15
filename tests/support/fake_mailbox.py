"""A mailbox in memory, with the faults that a test wants. The contract suite holds the real ones to the same port."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.mailbox_session import FetchedMail, MailboxEntry, MailboxFault, Progress, Trouble

LOST = MailboxFault("the server hung up", Trouble.UNREACHABLE)


@dataclass(slots=True)
class FakeMailbox:
    """The server: its mails by uid. `breaks_at` are those at which the connection is lost, again and again.

    `refuses` are answered with an error. `down` is why nobody can connect, None if they can.
    """

    mails: dict[str, bytes] = field(default_factory=dict)
    epoch: str = "1"
    can_wait: bool = False
    breaks_at: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    down: MailboxFault | None = None
    loses_quit: bool = False
    refuses_changes: bool = False
    news: list[str] = field(default_factory=list)  # uids of mails that come while a session waits
    folders: dict[str, list[bytes]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    sessions: int = 0

    def put(self, uid: str, data: bytes) -> None:
        """Let a mail come."""
        self.mails[uid] = data

    async def connect(self) -> "FakeSession":
        """Open a session."""
        if self.down is not None:
            raise self.down
        self.sessions += 1
        return FakeSession(self)


class FakeSession:
    """A session as with POP3: what is deleted goes at its end. `aborted` tells how it ended."""

    def __init__(self, mailbox: FakeMailbox) -> None:
        self._mailbox = mailbox
        self._deleted: set[str] = set()
        self.epoch = mailbox.epoch
        self.can_wait = mailbox.can_wait

    async def entries(self) -> Sequence[MailboxEntry]:
        """Return what is there."""
        return [MailboxEntry(uid, len(data)) for uid, data in self._mailbox.mails.items()]

    async def head(self, uid: str) -> bytes:
        """Return the header."""
        return self._mailbox.mails.get(uid, b"").partition(b"\r\n\r\n")[0]

    async def fetch(
        self, uids: Sequence[str], *, max_bytes: int, progress: Progress | None = None
    ) -> AsyncIterator[FetchedMail]:
        """Yield the mails, or meet the faults."""
        for uid in uids:
            if uid in self._mailbox.breaks_at:
                raise LOST
            self._mailbox.fetched.append(uid)
            data = self._mailbox.mails.get(uid)
            fault = "it is refused" if uid in self._mailbox.refuses else "" if data is not None else "it is gone"
            yield FetchedMail(uid, b"" if fault else data or b"", fault)

    async def delete(self, uids: Sequence[str]) -> None:
        """Mark them."""
        self._check_changes()
        self._deleted.update(uids)

    async def move(self, uids: Sequence[str], folder: str) -> None:
        """Move them at once."""
        self._check_changes()
        for uid in uids:
            self._mailbox.folders.setdefault(folder, []).append(self._mailbox.mails.pop(uid))

    def _check_changes(self) -> None:
        if self._mailbox.refuses_changes:
            raise MailboxFault("the folder is read-only", Trouble.CONFIGURATION)

    async def wait(self, longest: timedelta) -> bool:
        """Let the next mail come; lose the connection when there is none, as a session that waits does some day."""
        if not self._mailbox.news:
            raise LOST
        uid = self._mailbox.news.pop(0)
        self._mailbox.put(uid, b"Subject: news\r\n\r\n")
        return True

    async def close(self) -> None:
        """Let what is deleted go, unless the QUIT is lost."""
        if self._mailbox.loses_quit:
            raise LOST
        for uid in self._deleted:
            self._mailbox.mails.pop(uid, None)

    def abort(self) -> None:
        """Do nothing more."""
