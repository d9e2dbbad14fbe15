"""Many rows in one statement, so that a busy event loop is asked for the GIL once per batch, not per row."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

Row = Sequence[Any]
# SQLite binds at most 32766 values; the widest table has 9 columns.
MAX_ROWS = 1024


def write_rows(connection: sqlite3.Connection, before: str, rows: Sequence[Row], after: str = "") -> None:
    """Run `before VALUES (?, …), (?, …), … after` over all rows.

    The rows go in runs of a power of two, so that few statements serve every size from SQLite's cache.
    """
    start = 0
    while start < len(rows):
        count = min(MAX_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        run = rows[start : start + count]
        values = ",".join([f"({','.join('?' * len(run[0]))})"] * count)
        connection.execute(f"{before} VALUES {values}{after}", list(chain.from_iterable(run)))
        start += count
