"""The mails of a POP3 session by their lasting names, and which of them are marked to be deleted."""

from collections.abc import Iterable, Iterator

from app.domain.mailbox_session import MailboxEntry
from app.protocols.pop3.listing import ListedMail


class Pop3Mails:
    """What was in the mailbox when the session began: nothing comes later (RFC 1939 section 8).

    RFC 1939 section 7: two copies of one mail may share a uid. They are one entry here, and go together.
    """

    def __init__(self, mails: Iterable[ListedMail]) -> None:
        self._copies: dict[str, list[ListedMail]] = {}
        for mail in mails:
            self._copies.setdefault(mail.uid, []).append(mail)
        self.marked = 0  # copies that go with QUIT

    def entries(self) -> list[MailboxEntry]:
        """Return what is not marked, the oldest first."""
        return [MailboxEntry(uid, copies[0].size_bytes) for uid, copies in self._copies.items()]

    def find(self, uid: str) -> ListedMail | None:
        """Return a mail that is not marked."""
        copies = self._copies.get(uid)
        return copies[0] if copies else None

    def copies(self, uids: Iterable[str]) -> Iterator[ListedMail]:
        """Return every copy of these mails; those that are gone are left out."""
        for uid in dict.fromkeys(uids):
            yield from tuple(self._copies.get(uid, ()))

    def mark(self, mail: ListedMail) -> None:
        """Note that the server has marked this copy."""
        self.marked += 1
        copies = self._copies[mail.uid]
        copies.remove(mail)
        if not copies:
            del self._copies[mail.uid]
