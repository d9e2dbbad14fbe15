"""How the mailbox is read, as the settings say it."""

from dataclasses import dataclass

from app.domain.mail_read import AfterReading


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRules:
    """What is read of it, and what becomes of its mails.

    `from_beginning`: the first poll acts on what is there already. `max_bytes` is the largest mail that is read.
    `move_to` is the folder of AfterReading.MOVE.
    """

    max_bytes: int
    from_beginning: bool = False
    after: AfterReading = AfterReading.KEEP
    move_to: str = ""
