"""What lies in the spool directory, and whose turn it is: no user's files keep those of others waiting.

The daemon owns the directory, so what can never become an alert is removed from it on the way.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain, islice, zip_longest

from app.domain.spooled import SUFFIX

DRAFT_AGE = timedelta(hours=1)  # a client writes its file in a second; what is older was never finished
MAX_DRAFTS = 1_000  # of one user; nobody writes so many files at the same time
Entry = os.DirEntry[str]


class SpoolListing:
    """One look at the directory that is open as `folder`; `now` in seconds of the epoch.

    `removed` counts what was removed as useless. No entry is kept for longer than needed: there may be a million.
    """

    def __init__(self, folder: int, *, now: float, is_wanted: Callable[[str, int], bool]) -> None:
        """`is_wanted` is asked with the name of a file, and when it was last changed, in nanoseconds."""
        self._folder = folder
        self._now = now
        self._is_wanted = is_wanted
        self._drafts: defaultdict[int, int] = defaultdict(int)
        self.removed = 0

    def names(self, count: int) -> list[str]:
        """Return up to so many files that may hold alerts: of each owner one in turn, of one the oldest first."""
        by_owner: defaultdict[int, list[str]] = defaultdict(list)
        for name, owner in self._candidates():
            names = by_owner[owner]
            names.append(name)
            if len(names) > 2 * count:
                names[:] = sorted(names)[:count]
        turns = zip_longest(*(sorted(names)[:count] for names in by_owner.values()))
        return list(islice((name for name in chain.from_iterable(turns) if name is not None), count))

    def _candidates(self) -> Iterator[tuple[str, int]]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if entry.name.startswith(".") or not entry.name.endswith(SUFFIX):
                    self._tidy(entry, status)
                elif not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                    self._remove(entry, status)
                elif self._is_wanted(entry.name, status.st_ctime_ns):
                    yield entry.name, status.st_uid

    def _tidy(self, entry: Entry, status: os.stat_result) -> None:
        """Remove a draft that nobody finishes. Names that the administrator gave to something else stay."""
        if not entry.name.startswith(".") and status.st_uid in {0, os.geteuid()}:
            return
        self._drafts[status.st_uid] += 1
        # Its owner sets the time of a file at will, to one that is still to come as well.
        is_old = not -DRAFT_AGE.total_seconds() < self._now - status.st_mtime < DRAFT_AGE.total_seconds()
        if is_old or self._drafts[status.st_uid] > MAX_DRAFTS:
            self._remove(entry, status)

    def _remove(self, entry: Entry, status: os.stat_result) -> None:
        remove = os.rmdir if stat.S_ISDIR(status.st_mode) else os.unlink
        with suppress(OSError):  # a directory that is not empty
            remove(entry.name, dir_fd=self._folder)
            self.removed += 1
