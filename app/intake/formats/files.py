"""Files with names, and nothing else: `curl -F file=@backup.log`. The names are the subject, unless the query or the
Title header gives one; the query gives the rest as it does for a text."""

from dataclasses import replace

from app.intake.format import Format, Payload
from app.intake.formats import raw
from app.intake.incoming import Reading


def _recognises(payload: Payload) -> bool:
    return bool(payload.files) and not payload.document and all(file.name for file in payload.files)


def _read(payload: Payload) -> Reading:
    """What no format knows is made into a mail in just this way, only that here nothing is missing."""
    return replace(raw.read(payload), understood=True)


FORMAT = Format(name="files", tool="", recognises=_recognises, read=_read)
