"""Many rows in one statement: every row arrives, whatever their number."""

import sqlite3

import pytest

from app.storage.rows import MAX_ROWS, write_rows


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64, 100, MAX_ROWS - 1, MAX_ROWS, MAX_ROWS + 1, 3 * MAX_ROWS + 5])
def test_every_row_is_written_once(count: int) -> None:
    """No padding is written, and no row is left out."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a, b)")
    write_rows(connection, "INSERT INTO t", [(n, str(n)) for n in range(count)])
    rows = connection.execute("SELECT a, b FROM t ORDER BY a").fetchall()
    connection.close()
    assert rows == [(n, str(n)) for n in range(count)]


def test_few_statements_serve_every_number_of_rows() -> None:
    """SQLite's cache of prepared statements is not flooded by batches of different sizes."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE t (a)")
    widths: set[int] = set()
    connection.set_trace_callback(lambda statement: widths.add(statement.count("),(") + 1))
    for count in range(1, 200):
        write_rows(connection, "INSERT INTO t", [(0,)] * count)
    connection.close()
    assert widths == {1, 2, 4, 8, 16, 32, 64, 128, 256}


def test_the_widest_table_fits_into_one_statement() -> None:
    """SQLite binds at most 32766 values."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a, b, c, d, e, f, g, h, i)")
    write_rows(connection, "INSERT INTO t", [tuple(range(9))] * MAX_ROWS)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (MAX_ROWS,)
    connection.close()
