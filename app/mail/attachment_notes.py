"""What a mail says of the attachments that it does not carry."""

from app.domain.attachment import UNNAMED, Attachment
from app.domain.envelope import QueuedMail
from app.domain.size import size_text
from app.domain.text import one_line


def attachment_notes(mail: QueuedMail) -> list[str]:
    """Return a sentence on all that were left out as too large, or one for each that the journal has lost."""
    attachments = mail.accepted.alert.attachments
    if not mail.envelope.without_attachments:
        return [_lost(file) for file in attachments if not file.is_whole]
    if not attachments:
        return []
    files = "; ".join(f"{_name(file)}, {size_text(file.size_bytes)}" for file in attachments)
    what = "1 attachment" if len(attachments) == 1 else f"{len(attachments)} attachments"
    verb = "was" if len(attachments) == 1 else "were"
    return [f"{what} ({files}) {verb} left out: the relay takes no mail that large."]


def _lost(file: Attachment) -> str:
    size = size_text(file.size_bytes)
    return f"The attachment {_name(file)}, {size}, is missing: it could not be read from the journal."


def _name(file: Attachment) -> str:
    return one_line(file.name) or UNNAMED
