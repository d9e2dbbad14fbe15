"""Files as they come in, and how they become attachments: names without a path, content types that are some."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from mimetypes import MimeTypes
from posixpath import splitext

from app.domain.attachment import UNNAMED, Attachment
from app.domain.text import one_line

MAX_ATTACHMENTS = 20  # of one alert; more belong into an archive
MAX_NAME = 200  # characters; what people can still read in a list
MAX_NAME_BYTES = 255  # what file systems take (NAME_MAX of POSIX)
MAX_SUFFIX = 20  # characters; a longer one tells no program what the file is
OCTETS = "application/octet-stream"
UNKNOWN_TYPE = f"an attachment's content type was not understood; {OCTETS} was taken"

# RFC 6838 section 4.2. RFC 2045 section 6.4 forbids base64 for the two types that hold further parts.
_MEDIA_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_SEPARATOR = re.compile(r"[/\\]")

_known_types = MimeTypes()  # those that Python brings along: the same on every machine
_known_types.add_type("text/plain", ".log")
_COMPRESSED = {"gzip": "application/gzip"}  # RFC 6713; the other programs have registered none


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the sender described it. What it did not say is ""."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


def attach(uploads: Iterable[Upload]) -> tuple[Attachment, ...]:
    """Return the attachments that the files make, in order, no two under one name."""
    taken: set[str] = set()
    return tuple(_attachment(number, upload, taken) for number, upload in enumerate(uploads, start=1))


def warnings_of(uploads: Sequence[Upload]) -> tuple[str, ...]:
    """Return what the sender should know of them."""
    understood = all(not upload.content_type.strip() or _media_type(upload.content_type) for upload in uploads)
    return () if understood else (UNKNOWN_TYPE,)


def _attachment(number: int, upload: Upload, taken: set[str]) -> Attachment:
    name = _distinct(base_name(upload.name) or f"{UNNAMED}-{number}", taken)
    content_type = _media_type(upload.content_type) if upload.content_type.strip() else _guessed_type(name)
    return Attachment(name=name, content_type=content_type or OCTETS, size_bytes=len(upload.data), data=upload.data)


def base_name(name: str) -> str:
    """Return the name of a file without its path, "" if nothing is left.

    RFC 7578 section 4.2: the path is not to be believed, whichever system it is from.
    """
    base = one_line(_SEPARATOR.split(name)[-1])
    return "" if base in {".", ".."} else base


def _distinct(name: str, taken: set[str]) -> str:
    """Return `name` short enough for a file system, numbered if another that differs only in case has it."""
    stem, suffix = splitext(name)
    if len(suffix) > MAX_SUFFIX:
        stem, suffix = name, ""
    number, distinct = 1, _fitted(stem, suffix)
    while distinct.casefold() in taken:
        number += 1
        distinct = _fitted(stem, f"-{number}{suffix}")
    taken.add(distinct.casefold())
    return distinct


def _fitted(stem: str, ending: str) -> str:
    room = MAX_NAME_BYTES - len(ending.encode())
    return stem[: MAX_NAME - len(ending)].encode()[:room].decode(errors="ignore").rstrip() + ending


def _media_type(content_type: str) -> str:
    """Return the type without its parameters, "" if it is none that an attachment can have."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else ""


def _guessed_type(name: str) -> str:
    guess, compression = _known_types.guess_type(f"file{splitext(name)[1]}")  # all of a name it might take for a URL
    return _COMPRESSED.get(compression, "") if compression else _media_type(guess or "")
