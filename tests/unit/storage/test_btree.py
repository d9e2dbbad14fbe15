"""Pages and records read without SQLite: what SQLite wrote comes back, and rubbish raises nothing unexpected."""

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.storage.btree import read_node, read_record
from app.storage.pages import PAGE_BYTES, PageFile
from app.storage.salvage import Salvage, tables_of

INTEGERS = st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
ROWS = st.lists(
    st.tuples(INTEGERS, INTEGERS | TEXTS | st.floats(allow_nan=False) | st.binary(max_size=50), st.none() | TEXTS),
    max_size=40,
    unique_by=lambda row: row[0],
)


@given(rows=ROWS, long=st.integers(0, 5 * PAGE_BYTES))
@example(rows=[], long=PAGE_BYTES - 36)  # the longest record without an overflow page, give or take its head
@example(rows=[], long=PAGE_BYTES - 35)
def test_rows_come_back(rows: list[tuple[int, object, str | None]], long: int) -> None:
    """Every value of every type, in short records and in such as go on in other pages, in the order of the keys."""
    rows = [row for row in rows if row[0] != 7] + [(7, "x" * long, None)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.sqlite3")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, a ANY NOT NULL, b TEXT) STRICT")
            connection.executemany("INSERT INTO things VALUES (?, ?, ?)", rows)
            connection.commit()
            table = tables_of(connection)["things"]
            expected = [list(row) for row in connection.execute("SELECT * FROM things ORDER BY id")]
        with PageFile(path) as file:
            salvage = Salvage(file)
            assert list(salvage.rows(table)) == expected
            assert salvage.damaged == set()


@given(head=st.binary(max_size=100), seed=st.integers(), kind=st.sampled_from([0, 2, 5, 10, 13]))
def test_a_page_of_rubbish(head: bytes, seed: int, kind: int) -> None:
    """Whatever stands in a page, reading it ends with a node; what it gives lies within the page."""
    page = bytes([kind]) + head + random.Random(seed).randbytes(PAGE_BYTES)
    node = read_node(page[:PAGE_BYTES])
    assert all(len(cell.local) <= PAGE_BYTES for cell in node.cells)
    assert all(0 <= child < 1 << 32 for child in node.children)


@given(record=st.binary(max_size=200))
def test_a_record_of_rubbish(record: bytes) -> None:
    """Bytes that are no record raise ValueError or IndexError, and nothing else."""
    with suppress(ValueError, IndexError):
        assert isinstance(read_record(record), list)


@pytest.mark.parametrize("cut", [10, 31, 32, 40, 32 + 24 + PAGE_BYTES - 1, -1])
def test_a_torn_log(tmp_path: Path, cut: int) -> None:
    """Of a log that a power cut tore, the whole commits count, as they do for SQLite."""
    path = tmp_path / "file.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT")
        connection.execute("PRAGMA journal_mode = WAL")
        table = tables_of(connection)["things"]
        for number in range(5):
            connection.execute("INSERT INTO things VALUES (?)", (number,))
        torn = tmp_path / "torn.sqlite3"
        torn.write_bytes(path.read_bytes())
        log = (tmp_path / "file.sqlite3-wal").read_bytes()
        (tmp_path / "torn.sqlite3-wal").write_bytes(log[:cut])
    with PageFile(torn) as file:
        salvaged = list(Salvage(file).rows(table))
    with closing(sqlite3.connect(torn)) as connection:
        assert salvaged == [list(row) for row in connection.execute("SELECT id FROM things ORDER BY id")]
