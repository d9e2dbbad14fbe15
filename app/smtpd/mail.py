"""What the SMTP server hands over: a mail with its envelope, to whoever takes it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.domain.access import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """A mail as the client gave it, with CRLF line ends and the transparency dots removed.

    `mail_from` is empty for the null sender (RFC 5321 section 4.5.5). Addresses hold no control
    character. `peer` is the client's address, `principal` whom its login proved, None without one.
    """

    mail_from: str
    recipients: tuple[str, ...]
    data: bytes = field(repr=False)
    peer: str
    received_at: datetime
    principal: Principal | None = None


class Receiver(Protocol):
    """Takes mails, and so decides what the client is told after its final dot."""

    async def receive(self, mail: ReceivedMail) -> str:
        """Return the reply line: `250 …` once the mail is taken, else 4xx or 5xx. ASCII.

        421 ends the session (RFC 5321 section 3.8).
        """
        ...
