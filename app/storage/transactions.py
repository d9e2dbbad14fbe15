"""One transaction for many changes, in which a poisoned change does not take the others with it."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from app.storage.changes import Change, apply


def commit_group(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    """Commit the changes durably; return a result or an exception for each.

    Raises what every change would meet: a fault of the disk or the file. Then none is committed.
    """
    try:
        return _commit(connection, changes, apply)
    except Exception as error:
        if _is_storage_fault(error):
            raise
    return _commit(connection, changes, _apply_apart)


def _commit(
    connection: sqlite3.Connection,
    changes: Sequence[Change],
    run: Callable[[sqlite3.Connection, Sequence[Change]], list[Any]],
) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = run(connection, changes)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _apply_apart(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    """Run each change on its own in the open transaction; one that is poisoned is undone, and gives its error."""
    results: list[Any] = []
    for change in changes:
        connection.execute("SAVEPOINT apart")
        try:
            results += apply(connection, [change])
        except Exception as error:
            if _is_storage_fault(error):
                raise
            connection.execute("ROLLBACK TO apart")
            results.append(error)
        connection.execute("RELEASE apart")
    return results


def _is_storage_fault(error: Exception) -> bool:
    """Tell a fault of the disk or the file, which every change would meet, from a fault of one change."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError
    )
