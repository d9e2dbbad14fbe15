"""The pages of an SQLite file, damaged or not, read without SQLite: sqlite.org/fileformat2.html.

SQLite gives up a whole table where one page of its upper levels is bad. Page by page nearly all of it is there.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from app.storage.page_log import committed_pages

PAGE_BYTES = 4096  # SQLite's default since 2016, and what every journal is made with
MAGIC = b"SQLite format 3\x00"
FREELIST_AT = 32  # section 1.3: where the header names the first trunk page of the freelist


class PageFile:
    """Reads pages by number, from 1, as the write-ahead log's last commit has them."""

    def __init__(self, path: Path) -> None:
        """Open the file for reading while the context is entered. Nothing is ever written to it."""
        self._path = path
        self._log_path = path.with_name(f"{path.name}-wal")
        self._file = -1
        self._log = -1
        self._in_log: dict[int, int] = {}
        self.count = 0

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self.count = os.fstat(self._file).st_size // PAGE_BYTES
        if self._log_path.exists():
            self._log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)
            self._in_log = committed_pages(self._log, PAGE_BYTES)
            self.count = max(self.count, max(self._in_log, default=0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in (self._file, self._log):
            if descriptor >= 0:
                os.close(descriptor)

    def page(self, number: int) -> bytes:
        """Return the page; zeros where the disk gives nothing back, for a page of zeros holds no rows."""
        try:
            if number in self._in_log:
                return os.pread(self._log, PAGE_BYTES, self._in_log[number])
            data = os.pread(self._file, PAGE_BYTES, (number - 1) * PAGE_BYTES)
        except OSError:
            data = b""
        return data.ljust(PAGE_BYTES, b"\x00")

    def free_pages(self) -> set[int]:
        """Return the pages that hold nothing any more, as far as the list of them can be read (section 1.5)."""
        free: set[int] = set()
        header = self.page(1)
        trunk = _number(header, FREELIST_AT) if header.startswith(MAGIC) else 0
        while 0 < trunk <= self.count and trunk not in free:
            page = self.page(trunk)
            leaves = [_number(page, 8 + 4 * index) for index in range(min(_number(page, 4), PAGE_BYTES // 4 - 2))]
            free.update((trunk, *leaves))
            trunk = _number(page, 0)
        return free


def _number(page: bytes, at: int) -> int:
    return int.from_bytes(page[at : at + 4])
