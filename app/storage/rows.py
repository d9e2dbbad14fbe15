"""Many rows in one statement, so that a busy event loop is asked for the GIL once per batch, not per row."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

Row = Sequence[Any]
# SQLite binds at most 32766 values; the widest rows have 10.
MAX_ROWS = 1024


def write_rows(connection: sqlite3.Connection, before: str, rows: Sequence[Row], after: str = "") -> None:
    """Run `before SELECT … FROM (VALUES (?, …), (?, …), …) after` over all rows, none of which begins with None.

    The rows are padded to a power of two, so that few statements serve every number of rows from SQLite's cache.
    """
    for start in range(0, len(rows), MAX_ROWS):
        run = rows[start : start + MAX_ROWS]
        width, padded = len(run[0]), 1 << (len(run) - 1).bit_length()
        values = list(chain.from_iterable(run))
        values += [None] * (width * (padded - len(run)))
        connection.execute(_statement(before, width, padded, after), values)


@lru_cache(maxsize=64)  # six statements in eleven sizes
def _statement(before: str, width: int, count: int, after: str) -> str:
    rows = ",".join([f"({','.join('?' * width)})"] * count)
    return f"{before} SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL{after}"
