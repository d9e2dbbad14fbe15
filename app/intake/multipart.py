"""A form with files: `curl -F subject='Disk full' -F file=@df.txt`.

A part with a file name is a file, under whatever field name it comes; the others are the fields of a form.
"""

from dataclasses import dataclass, field

from app.domain.charset import decode, parse_content_type
from app.intake.attachments import Upload
from app.intake.parts import split_parts


@dataclass(frozen=True, slots=True)
class FormWithFiles:
    """The fields in order, the files in order, and the warnings of decoding the fields, each once."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    files: tuple[Upload, ...]
    warnings: tuple[str, ...]


def take_apart(body: bytes, content_type: str) -> FormWithFiles:
    """Return what the parts hold. Raises BrokenMultipart."""
    pairs: list[tuple[str, str]] = []
    files: list[Upload] = []
    warnings: dict[str, None] = {}
    for part in split_parts(body, content_type):
        filename = part.disposition.filename
        if filename is None:
            _, charset = parse_content_type(part.content_type)  # RFC 7578 section 4.5
            value = decode(part.data, charset)
            pairs.append((part.disposition.name, value.text))
            warnings.update(dict.fromkeys(value.warnings))
        elif filename or part.data:  # a browser sends both empty where nobody has chosen a file
            files.append(Upload(filename, part.content_type, part.data))
    return FormWithFiles(tuple(pairs), tuple(files), tuple(warnings))
