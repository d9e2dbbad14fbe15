"""A form with files: `curl -F subject='Disk full' -F file=@df.txt`. The files become attachments.

A part with a file name is a file, under whatever field name it comes; the others are the fields of a form.
"""

from collections.abc import Iterable
from dataclasses import replace

from app.httpkit.problems import FieldError, invalid_alert
from app.intake.attachments import MAX_ATTACHMENTS, Upload, attach, warnings_of
from app.intake.charset import decode, parse_content_type
from app.intake.formats import form
from app.intake.incoming import Reading, Rejected
from app.intake.parts import Part, split_parts


def read(body: bytes, content_type: str) -> Reading:
    """Return the alert of the parts. Raises BrokenMultipart, and Rejected if no alert follows from them."""
    fields: list[Part] = []
    uploads: list[Upload] = []
    for part in split_parts(body, content_type):
        filename = part.disposition.filename
        if filename is None:
            fields.append(part)
        elif filename or part.data:  # a browser sends both empty where nobody has chosen a file
            uploads.append(Upload(filename, part.content_type, part.data))
    if len(uploads) > MAX_ATTACHMENTS:
        error = FieldError("/attachments", f"must be at most {MAX_ATTACHMENTS} files, and are {len(uploads)}")
        raise Rejected(invalid_alert("The alert was not taken.", [error]))
    reading = _read_fields(fields)
    (alert,) = reading.alerts
    warnings = reading.warnings + warnings_of(uploads)
    return replace(reading, alerts=(replace(alert, attachments=attach(uploads)),), warnings=warnings)


def _read_fields(parts: Iterable[Part]) -> Reading:
    pairs: list[tuple[str, str]] = []
    warnings: dict[str, None] = {}
    for part in parts:
        _, charset = parse_content_type(part.content_type)  # RFC 7578 section 4.5
        value = decode(part.data, charset)
        pairs.append((part.disposition.name, value.text))
        warnings.update(dict.fromkeys(value.warnings))
    return form.read_fields(pairs, tuple(warnings))
