"""Files that go with an alert from the command line. One that cannot be read never costs the alert."""

import binascii
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAX_ATTACHED = 10 << 20  # bytes together; what the daemon takes of one alert unless its settings say otherwise


@dataclass(frozen=True, slots=True)
class AttachedFiles:
    """`documents` are the attachments of a native alert; `troubles` say what could not be attached, and why."""

    documents: tuple[dict[str, str], ...]
    troubles: tuple[str, ...]


def attachment(name: str, data: bytes, *, content_type: str = "") -> dict[str, str]:
    """Return a file as native alerts hold it: RFC 4648 section 4."""
    document = {"name": name, "content": binascii.b2a_base64(data, newline=False).decode()}
    return document | ({"content_type": content_type} if content_type else {})


def read_attachments(paths: Iterable[str], *, limit: int = MAX_ATTACHED) -> AttachedFiles:
    """Return the files, in at most `limit` bytes together."""
    documents: list[dict[str, str]] = []
    troubles: list[str] = []
    left = limit
    for path in paths:
        try:
            data = _read(path, left)
        except OSError as error:
            troubles.append(f"{path} could not be attached: {error.strerror}")
            continue
        if len(data) > left:
            troubles.append(f"{path} could not be attached: all files together may have {limit >> 20} MiB")
            continue
        left -= len(data)
        documents.append(attachment(Path(path).name, data))
    return AttachedFiles(tuple(documents), tuple(troubles))


def _read(path: str, left: int) -> bytes:
    """Return what the file holds, or one byte more than fits. A device or a pipe without a writer is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(left + 1)
    finally:
        os.close(descriptor)
