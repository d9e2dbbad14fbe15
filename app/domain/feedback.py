"""What a mail that was read brings with it, beside the alerts that it makes: taken in the same transaction."""

from dataclasses import dataclass

from app.domain.acknowledgement import AckEvent
from app.domain.mail_read import MailRead


@dataclass(frozen=True, slots=True)
class Feedback:
    """That mails of the mailbox were read, and the acknowledgements in them, by the alert's id."""

    reads: tuple[MailRead, ...] = ()
    acknowledgements: tuple[tuple[int, AckEvent], ...] = ()


NO_FEEDBACK = Feedback()
