"""What a mail says of the attachments that it does not carry."""

from app.domain.attachment import UNNAMED, Attachment
from app.domain.envelope import QueuedMail
from app.domain.text import one_line

_SIZES = ((1 << 20, "MiB"), (1 << 10, "KiB"))


def attachment_notes(mail: QueuedMail) -> list[str]:
    """Return a sentence on all that were left out as too large, or one for each that the journal has lost."""
    attachments = mail.accepted.alert.attachments
    if not mail.envelope.without_attachments:
        return [_lost(file) for file in attachments if not file.is_whole]
    if not attachments:
        return []
    files = "; ".join(f"{_name(file)}, {_size(file.size_bytes)}" for file in attachments)
    what = "1 attachment" if len(attachments) == 1 else f"{len(attachments)} attachments"
    verb = "was" if len(attachments) == 1 else "were"
    return [f"{what} ({files}) {verb} left out: the relay takes no mail that large."]


def _lost(file: Attachment) -> str:
    return f"The attachment {_name(file)}, {_size(file.size_bytes)}, is missing: it could not be read from the journal."


def _name(file: Attachment) -> str:
    return one_line(file.name) or UNNAMED


def _size(size_bytes: int) -> str:
    for unit_bytes, unit in _SIZES:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return "1 byte" if size_bytes == 1 else f"{size_bytes} bytes"
