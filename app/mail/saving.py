"""Attachments as files: whatever a sender calls one, it becomes a new file in the directory that was meant."""

import os
import re
from itertools import count
from pathlib import Path

from app.domain.attachment import UNNAMED
from app.domain.text import one_line

MAX_NAME = 200  # bytes of UTF-8; file systems take 255 (NAME_MAX), and a number must still fit in
# A mail is for its recipients alone, and the directory may be everybody's (/tmp). Who wants others to read the file
# can let them; who did not want it could not take it back.
_MODE = 0o600

# All white space, since Windows drops a full stop or space at the end and others hide it.
_ENDS = " .\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_SEPARATOR = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
# Unicode section 23.2, UAX #9: these are not seen, or turn the letters about ("exe.pdf" for "fdp.exe"). The joiners
# (U+200C, U+200D) stay, because Persian and emoji are written with them.
_DECEIVING = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_FORBIDDEN = re.compile(r'[<>:"|?*]')  # in Windows, where the colon opens another stream of a file too
# Windows looks only at what stands before the first full stop, and takes the superscript digits for digits.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|\Z)", re.IGNORECASE)
# What is longer than this is no suffix, but a sentence with a full stop in it.
_SUFFIX = re.compile(r"(?:\.tar)?\.[^.\s]{1,20}\Z", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return the name for a file that any directory of any system takes: never empty, at most MAX_NAME bytes.

    Of a path the last part counts (RFC 2183 section 2.3). What a system forbids, or would take for something else
    (a device, a hidden file, an option of a command), is left out or replaced; the suffix stays.
    """
    seen = _DECEIVING.sub("", one_line(name))
    last = _SEPARATOR.split(seen.rstrip(_ENDS + "/\\"))[-1]
    allowed = _FORBIDDEN.sub("_", _DRIVE.sub("", last, count=1) if _DRIVE.match(last) else last)
    short = _cut(allowed.strip(_ENDS) or UNNAMED)
    return _cut(f"_{short}") if short.startswith("-") or _DEVICE.match(short) else short


def save_attachment(directory: Path, name: str, data: bytes) -> Path:
    """Write `data` to a new file in `directory` and return its path. The directory must be there.

    If there is a file of that name, or a link, it stays as it is and this one gets a number: `report (2).pdf`.
    However many write at once, each gets a file of its own. Raises OSError; no part of a file is left then.
    """
    path, descriptor = _create(directory, safe_name(name))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _create(directory: Path, name: str) -> tuple[Path, int]:
    """Create the file, its name numbered as far as needed; return it open for writing."""
    stem, suffix = _taken_apart(name)
    for number in count(1):
        path = directory / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            # open(2): with O_EXCL one caller alone makes the file, and a link is not followed even if it leads nowhere.
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        except FileExistsError:
            continue
    raise AssertionError("numbers do not end")


def _cut(name: str) -> str:
    """Return `name` in MAX_NAME bytes: what stands before the suffix loses its end."""
    if len(name.encode()) <= MAX_NAME:
        return name
    stem, suffix = _taken_apart(name)
    room = MAX_NAME - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(_ENDS) + suffix


def _taken_apart(name: str) -> tuple[str, str]:
    suffix = _SUFFIX.search(name)
    # A name that is nothing but a suffix has none.
    return (name[: suffix.start()], suffix[0]) if suffix and suffix.start() else (name, "")
