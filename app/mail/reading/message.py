"""A mail that was read."""

from dataclasses import dataclass, field
from datetime import datetime

from app.domain.address import Mailbox
from app.mail.reading.headers import Headers
from app.mail.reading.part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail: what people look for in its header, its text, its files, and what is wrong with it.

    `text` is running text with LF for line ends: that of the plain parts, and of HTML where nothing says it plainly.
    `html` is the page or pages as they came, in text, "" for none. `files` are the parts that are neither, mails
    among them. `parts` are all parts in their order, the first one being the mail itself.

    Addresses are as the mail writes them, not proved to be valid. Message-IDs have their angle brackets.
    `auto_submitted` is the keyword of RFC 3834 in lower case, "" for none. `defects` are sentences without a
    capital and a full stop, each one once.
    """

    headers: Headers = field(repr=False)
    sender: Mailbox | None
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    subject: str
    date: datetime | None
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    auto_submitted: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    files: tuple[Part, ...]
    parts: tuple[Part, ...] = field(repr=False)
    defects: tuple[str, ...]

    @property
    def content_type(self) -> str:
        """The media type of the mail as a whole; `multipart/report` is a bounce or a receipt (RFC 6522)."""
        return self.parts[0].content_type
