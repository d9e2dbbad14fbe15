"""Says of every mail of the mailbox what it is."""

from app.domain.mail_kind import MailKind
from app.mail.message_id import MessageIds
from app.mail.reading.message import Message
from app.mail.sorting.automatic import automatic_answer, is_receipt, sign_of_a_program
from app.mail.sorting.bounces import sort_bounce
from app.mail.sorting.commands import read_command
from app.mail.sorting.marks import Marks, bears_an_id
from app.mail.sorting.own_lines import own_lines
from app.mail.sorting.sorted_mail import SortedMail

RECEIPT = "it says what became of a mail that had arrived"


class MailSorter:
    """Pure: no clock, no journal. Whether a mail is known and its sender may acknowledge is for others to say."""

    def __init__(self, message_ids: MessageIds) -> None:
        self._marks = Marks(message_ids)

    def sort(self, message: Message, data: bytes) -> SortedMail:
        """Return what the mail is; `data` are the octets that it was read from.

        Never raises, whatever the mail is, and takes time that grows with its length. The order matters: reports name
        the mail that they are about as answers do, and both name one of ours as our own mails name themselves.
        """
        return (
            self._probe(message)
            or self._receipt(message)
            or sort_bounce(message, data, self._marks)
            or self._alert(message)
            or self._automatic(message)
            or self._answer(message)
            or SortedMail(kind=MailKind.OTHER, why="it is about no mail of ours")
        )

    def _probe(self, message: Message) -> SortedMail | None:
        number = self._marks.probe(message.headers)
        return None if number is None else SortedMail(kind=MailKind.PROBE, why="it is a probe of ours", probe=number)

    def _receipt(self, message: Message) -> SortedMail | None:
        if not is_receipt(message):
            return None
        return SortedMail(kind=MailKind.AUTOMATIC, why=RECEIPT, envelope_id=self._marks.answered(message))

    def _alert(self, message: Message) -> SortedMail | None:
        envelope_id = self._marks.own(message.headers)
        if envelope_id is not None:
            return SortedMail(kind=MailKind.ALERT, why="it is a mail of ours", envelope_id=envelope_id)
        if bears_an_id(message.headers):
            return SortedMail(kind=MailKind.ALERT, why="it is a mail of another Mail Alert System")
        return None

    def _automatic(self, message: Message) -> SortedMail | None:
        why = automatic_answer(message)
        return SortedMail(kind=MailKind.AUTOMATIC, why=why, envelope_id=self._marks.answered(message)) if why else None

    def _answer(self, message: Message) -> SortedMail | None:
        envelope_id = self._marks.answered(message)
        if envelope_id is None and self._marks.probe_answered(message) is None:
            return None
        if why := self._sign_of_a_program(message):
            return SortedMail(kind=MailKind.AUTOMATIC, why=f"it is an answer, and {why}", envelope_id=envelope_id)
        command = next(filter(None, map(read_command, own_lines(message))), None)
        if command is None or envelope_id is None:
            return SortedMail(kind=MailKind.ANSWER, why="it is an answer without a command", envelope_id=envelope_id)
        return SortedMail(
            kind=MailKind.ACKNOWLEDGEMENT,
            why="it is an answer that begins with a command",
            envelope_id=envelope_id,
            command=command,
        )

    def _sign_of_a_program(self, message: Message) -> str:
        came_to = self._marks.came_to(message.headers)
        if came_to and came_to[1] is not None:
            return "it came to the address for reports on one recipient"
        return sign_of_a_program(message)
