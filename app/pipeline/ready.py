"""Mails that are leased and may be handed out."""

from collections.abc import Iterable, Iterator

from app.domain.envelope import QueuedMail


class ReadyMails:
    """The most severe first. Of those with attachments only a few are out at once: each takes much memory."""

    def __init__(self, *, most_heavy: int) -> None:
        """`most_heavy` is how many mails with attachments may be out."""
        self._mails: list[QueuedMail] = []  # few: see LEASE in queue.py
        self._most_heavy = most_heavy
        self._heavy_out: set[int] = set()

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[QueuedMail]:
        return iter(self._mails)

    @property
    def highest_rank(self) -> int:
        """The rank of the most severe mail; there must be one."""
        return self._mails[0].envelope.severity.rank

    def add(self, mails: Iterable[QueuedMail]) -> None:
        """Take mails that were leased, each behind its equals."""
        self._mails.extend(mails)
        self._mails.sort(key=_severity)  # stable

    def put_back(self, mail: QueuedMail) -> None:
        """Take a mail again that was handed out; it comes before its equals, unless they are older."""
        self.free_heavy_place(mail.envelope.id)
        self._mails.insert(0, mail)
        self._mails.sort(key=_severity_and_age)

    def take(self, *, heavy_too: bool = True) -> QueuedMail | None:
        """Hand out the next mail, past those with attachments for which there is no place; None if there is no other.

        Not `heavy_too`: None, too, if it has attachments. It keeps its turn, or light mails could overtake it for ever.
        """
        has_place = len(self._heavy_out) < self._most_heavy
        for number, mail in enumerate(self._mails):
            if mail.carries_attachments and not has_place:
                continue
            if mail.carries_attachments and not heavy_too:
                return None
            if mail.carries_attachments:
                self._heavy_out.add(mail.envelope.id)
            return self._mails.pop(number)
        return None

    def free_heavy_place(self, envelope_id: int) -> None:
        """Note that this mail does not take its memory any more, if it did."""
        self._heavy_out.discard(envelope_id)

    def remove(self, envelope_id: int) -> None:
        """Give up a mail, if it is here."""
        self._mails = [mail for mail in self._mails if mail.envelope.id != envelope_id]

    def clear(self) -> list[QueuedMail]:
        """Give up all mails, and return them."""
        mails, self._mails = self._mails, []
        return mails


def _severity(mail: QueuedMail) -> int:
    return -mail.envelope.severity.rank


def _severity_and_age(mail: QueuedMail) -> tuple[int, int]:
    return -mail.envelope.severity.rank, mail.envelope.id
