"""SQLite's write-ahead log, read without SQLite: which pages its commits have changed (sqlite.org/walformat.html)."""

import os
import struct
from collections.abc import Iterator

HEADER = struct.Struct(">8I")  # magic, version, page size, sequence, two salts, two checksums
FRAME = struct.Struct(">6I")  # page number, pages in the file after a commit (else 0), two salts, two checksums
MAGICS = {0x377F0682: "<", 0x377F0683: ">"}  # the last bit says in which byte order the checksum reads
WORD = 0xFFFFFFFF


def committed_pages(log: int, page_bytes: int) -> dict[int, int]:
    """Return where in the log the newest committed version of each page stands, for a log of that page size."""
    committed: dict[int, int] = {}
    open_commit: dict[int, int] = {}
    for number, ends_commit, offset in _frames(log, page_bytes):
        open_commit[number] = offset
        if ends_commit:
            committed |= open_commit
            open_commit = {}
    return committed


def _frames(log: int, page_bytes: int) -> Iterator[tuple[int, bool, int]]:
    """Yield page number, whether a commit ends here, and where the page stands, up to the first frame that is torn."""
    head = os.pread(log, HEADER.size, 0)
    if len(head) < HEADER.size:
        return
    magic, _, size, _, *salts_and_sums = HEADER.unpack(head)
    salts, sums = salts_and_sums[:2], tuple(salts_and_sums[2:])
    if magic not in MAGICS or size != page_bytes or _checksum(head[:24], (0, 0), MAGICS[magic]) != sums:
        return
    offset = HEADER.size
    while len(frame := os.pread(log, FRAME.size + page_bytes, offset)) == FRAME.size + page_bytes:
        number, pages_after, *frame_salts, first, second = FRAME.unpack_from(frame)
        sums = _checksum(frame[:8] + frame[FRAME.size :], sums, MAGICS[magic])
        if frame_salts != salts or sums != (first, second):
            return
        yield number, pages_after > 0, offset + FRAME.size
        offset += len(frame)


def _checksum(data: bytes, sums: tuple[int, ...], order: str) -> tuple[int, int]:
    """Go on with the checksum of section 4.2."""
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & WORD
        second = (second + odd + first) & WORD
    return first, second
