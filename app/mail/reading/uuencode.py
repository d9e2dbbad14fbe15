"""Uuencode: the files that old programs put into the text of a mail (POSIX `uuencode`)."""

import re
from binascii import Error, a2b_uu
from dataclasses import dataclass, field

_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
MAX_FILES = 100  # of one mail; nobody has sent so many this way, and what is behind them stays text
MAX_BEGINS = 1000  # of one text, those without data counted; more are nobody's files
MAX_LINES = 1_500_000  # of one file, 64 MiB; lines that hold next to nothing would be many more
_MAX_LINE = 61  # the digit that tells 45 octets, and 60 digits; a check digit may follow


@dataclass(frozen=True, slots=True)
class UuFile:
    """A file, its name as it stands in the mail, and where in the text it stood."""

    name: bytes
    data: bytes = field(repr=False)
    start: int
    end: int
    sound: bool


def find_files(text: bytes, max_files: int = MAX_FILES) -> list[UuFile]:
    """Return the files in `text`, in order. A `begin` without a line of data behind it begins none."""
    files: list[UuFile] = []
    end = 0
    for _ in range(MAX_BEGINS):
        begin = _BEGIN.search(text, end)
        if begin is None or len(files) >= max_files:
            break
        data, end, sound = _decode_lines(text, begin.end())
        if data:
            files.append(UuFile(begin[1].strip(), data, begin.start(), end, sound))
    return files


def _decode_lines(text: bytes, start: int) -> tuple[bytes, int, bool]:
    """Return the data from `start` on, where it ends, and whether an `end` stands there."""
    data = bytearray()
    for _ in range(MAX_LINES):
        if start >= len(text):
            break
        line_end = text.find(b"\n", start, start + _MAX_LINE + 4) + 1 or min(start + _MAX_LINE + 4, len(text))
        line = text[start:line_end].strip(b"\r\n")
        if line.rstrip() == b"end":
            return bytes(data), line_end, True
        octets = _decode_line(line)
        if octets is None:
            break
        data += octets
        start = line_end
    return bytes(data), start, False


def _decode_line(line: bytes) -> bytes | None:
    """Return the octets of a line, None if it is none; trailing spaces, which are zeros, may be lost."""
    if line.strip() in {b"", b"`"}:
        return b""
    try:
        return a2b_uu(line)
    except Error:
        try:
            # A check digit, or more of them, stands behind the data: the length says what counts.
            return a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3])
        except Error:
            return None
