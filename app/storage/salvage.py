"""Takes the rows out of a damaged journal, page by page: what one bad page holds is lost, and no other row."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType

from app.storage.btree import INDEX_INSIDE, INDEX_LEAF, TABLE_LEAF, Cell, Node, Value, read_node, read_record
from app.storage.pages import PAGE_BYTES, PageFile

# sqlite.org/stricttables.html: what a column of a declared type holds.
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "INTEGER": int,
    "TEXT": str,
    "BLOB": bytes,
    "ANY": (int, float, str, bytes),
}
MASTER_ROOT = 1  # sqlite.org/fileformat2.html section 2.6: the schema's own table


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `is_rowid`: it stands in the record as NULL, its value is the row's id."""

    name: str
    types: type | tuple[type, ...]
    is_rowid: bool
    may_be_null: bool
    may_be_missing: bool  # added later, with a default: records from before do not have it

    def fits(self, kind: type) -> bool:
        """Tell whether a record may hold a value of this type here."""
        if kind is NoneType:
            return self.is_rowid or self.may_be_null
        return not self.is_rowid and issubclass(kind, self.types)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the journal, or an index read as one.

    `root` is where it stands in a new journal, and nearly always in an old one.
    """

    name: str
    root: int
    leaf: int
    columns: Sequence[Column]
    known: dict[tuple[type, ...], bool] = field(default_factory=dict)  # millions of records are of few kinds

    def fits(self, record: Sequence[Value]) -> bool:
        """Tell whether the record can be of this table: no two tables are alike."""
        kinds = tuple(map(type, record))
        if kinds not in self.known:
            self.known[kinds] = self._fit(kinds)
        return self.known[kinds]

    def _fit(self, kinds: Sequence[type]) -> bool:
        return (
            len(kinds) <= len(self.columns)
            and all(column.may_be_missing for column in self.columns[len(kinds) :])
            and all(column.fits(kind) for column, kind in zip(self.columns, kinds, strict=False))
        )


def tables_of(connection: sqlite3.Connection) -> dict[str, Table]:
    """Return the tables of a journal that is well."""
    listed = connection.execute(
        "SELECT s.name, s.rootpage, l.wr FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.name = s.name"
        " WHERE s.type = 'table' AND l.schema = 'main'"
    ).fetchall()
    return {
        name: Table(name, root, INDEX_LEAF if is_index else TABLE_LEAF, _columns(connection, name, is_index=is_index))
        for name, root, is_index in listed
    }


def index_of(connection: sqlite3.Connection, name: str) -> Table:
    """Return an index over integers as the table that it is: of its columns and the row's id."""
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
    listed = connection.execute("SELECT coalesce(name, 'id') FROM pragma_index_xinfo(?)", (name,)).fetchall()
    columns = [Column(column, int, is_rowid=False, may_be_null=False, may_be_missing=False) for (column,) in listed]
    return Table(name, root, INDEX_LEAF, columns)


def _columns(connection: sqlite3.Connection, table: str, *, is_index: bool) -> list[Column]:
    rows = connection.execute('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (table,))
    return [
        Column(
            name=name,
            types=TYPES[declared],
            is_rowid=bool(key) and not is_index,
            may_be_null=not not_null and not key,
            may_be_missing=default is not None,
        )
        for name, declared, not_null, default, key in rows
    ]


MASTER = Table(
    "sqlite_schema",
    MASTER_ROOT,
    TABLE_LEAF,
    [
        Column(name, kind, is_rowid=False, may_be_null=name == "sql", may_be_missing=False)
        for name, kind in (("type", str), ("name", str), ("tbl_name", str), ("rootpage", int), ("sql", str))
    ],
)


class Salvage:
    """Reads tables of a damaged journal. `damaged` names those of which something could not be read."""

    def __init__(self, file: PageFile) -> None:
        self._file = file
        self._free = file.free_pages()
        self.damaged: set[str] = set()
        self._roots: dict[str, Value] = {}
        self._roots = {str(row[1]): row[3] for row in self.rows(MASTER)}

    def rows(self, table: Table) -> Iterator[list[Value]]:
        """Yield the rows of the table, each perhaps without the columns that were added later.

        Where a part of its tree cannot be read, leaves that nothing leads to any more are looked for in the whole
        file, and known by their records. So a row may come twice; the first one is the right one.
        """
        seen = bytearray(self._file.count + 1)
        yield from self._from_tree(table, seen)
        if table.name in self.damaged and table is not MASTER:
            yield from self._from_strays(table, seen)

    def _from_tree(self, table: Table, seen: bytearray) -> Iterator[list[Value]]:
        ahead = [self._root(table)]
        while ahead:
            number = ahead.pop()
            if not 0 < number <= self._file.count or seen[number]:
                self.damaged.add(table.name)
                continue
            seen[number] = 1
            node = self._node(number)
            if node.is_damaged:
                self.damaged.add(table.name)
            for cell in node.cells:
                if (row := self._row(table, cell)) is not None:
                    yield row
                else:
                    self.damaged.add(table.name)
            ahead += reversed(node.children)  # so that the rows come in order

    def _from_strays(self, table: Table, seen: bytearray) -> Iterator[list[Value]]:
        kinds = {table.leaf, INDEX_INSIDE} if table.leaf == INDEX_LEAF else {TABLE_LEAF}
        for number in range(MASTER_ROOT + 1, self._file.count + 1):
            if seen[number] or number in self._free:
                continue
            node = self._node(number)
            if node.kind in kinds:
                rows = (self._row(table, cell) for cell in node.cells)
                yield from (row for row in rows if row is not None)

    def _root(self, table: Table) -> int:
        # Without its first page a file says nothing of roots. They are where the same scripts have put them.
        root = table.root if table is MASTER else self._roots.get(table.name)
        return root if isinstance(root, int) else table.root

    def _node(self, number: int) -> Node:
        return read_node(self._file.page(number), is_first_page=number == MASTER_ROOT)

    def _row(self, table: Table, cell: Cell) -> list[Value] | None:
        try:
            record = read_record(self._payload(cell))
        except (ValueError, IndexError):
            return None
        if not table.fits(record):
            return None
        return [cell.rowid if column.is_rowid else value for column, value in zip(table.columns, record, strict=False)]

    def _payload(self, cell: Cell) -> bytes:
        """Return the whole record. Raises ValueError if the chain of pages that it goes on in is broken."""
        parts, missing, following = [cell.local], cell.size - len(cell.local), cell.overflow
        while missing > 0:
            if not 0 < following <= self._file.count:
                raise ValueError("a chain of pages that ends too early")
            page = self._file.page(following)
            following = int.from_bytes(page[:4])
            parts.append(page[4 : 4 + min(missing, PAGE_BYTES - 4)])
            missing -= len(parts[-1])
        if following:
            raise ValueError("a chain of pages that does not end")
        return b"".join(parts)
