"""Nodes of SQLite's trees and the records in them, as bytes (sqlite.org/fileformat2.html sections 1.6 and 2.1)."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Value = int | float | str | bytes | None

INDEX_INSIDE: Final = 2
TABLE_INSIDE: Final = 5
INDEX_LEAF: Final = 10
TABLE_LEAF: Final = 13
INSIDE = frozenset({INDEX_INSIDE, TABLE_INSIDE})
WITH_RECORDS = frozenset({INDEX_INSIDE, INDEX_LEAF, TABLE_LEAF})
FILE_HEADER_BYTES = 100  # section 1.3: on the first page the node comes behind it
# Section 2.1, by serial type: integers, and three values that take no bytes.
CONSTANTS: Final[Mapping[int, Value]] = {0: None, 8: 0, 9: 1}
INTEGER_BYTES: Final[Mapping[int, int]] = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8} | dict.fromkeys(CONSTANTS, 0)
REAL = 7
NOT_USED = frozenset({10, 11})
MAX_RECORD_BYTES = 1 << 30  # SQLite's own default limit is a little less


@dataclass(frozen=True, slots=True)
class Cell:
    """One record: its row id (0 in an index), its size, what of it stands here, and the page where it goes on."""

    rowid: int
    size: int
    local: bytes
    overflow: int


@dataclass(frozen=True, slots=True)
class Node:
    """One page of a tree, as far as it can be read."""

    kind: int
    cells: Sequence[Cell]
    children: Sequence[int]
    is_damaged: bool


NO_NODE = Node(kind=0, cells=(), children=(), is_damaged=True)


def read_node(page: bytes, *, is_first_page: bool = False) -> Node:
    """Return what can be read of the page; cells that reach beyond it are left out."""
    start = FILE_HEADER_BYTES if is_first_page else 0
    kind = page[start]
    if kind not in WITH_RECORDS | INSIDE:
        return NO_NODE
    count, head = int.from_bytes(page[start + 3 : start + 5]), 12 if kind in INSIDE else 8
    if start + head + 2 * count > len(page):
        return NO_NODE
    cells: list[Cell] = []
    children: list[int] = []
    is_damaged = False
    for at in struct.unpack_from(f">{count}H", page, start + head):
        try:
            if kind in INSIDE:
                children.append(_page_number(page, at))
            if kind in WITH_RECORDS:
                cells.append(_cell(page, at + 4 if kind in INSIDE else at, kind))
        except (IndexError, ValueError):
            is_damaged = True
    if kind in INSIDE:
        children.append(_page_number(page, start + 8))  # the right-most child has no cell
    return Node(kind, cells, children, is_damaged)


def _cell(page: bytes, at: int, kind: int) -> Cell:
    size, at = _varint(page, at)
    rowid, at = _varint(page, at) if kind == TABLE_LEAF else (0, at)
    local = _local_bytes(size, len(page), is_table=kind == TABLE_LEAF)
    end = at + local
    if size > MAX_RECORD_BYTES or end > len(page):
        raise ValueError("a record that reaches beyond its page")
    return Cell(rowid, size, page[at:end], _page_number(page, end) if local < size else 0)


def _local_bytes(size: int, usable: int, *, is_table: bool) -> int:
    """Return how much of a record stands in the node itself (section 1.6, "Cell Payload Overflow")."""
    most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    return local if local <= most else least


def _page_number(page: bytes, at: int) -> int:
    if at + 4 > len(page):
        raise IndexError
    return int.from_bytes(page[at : at + 4])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at `at` and where it ends: seven bits a byte, but eight in the ninth."""
    value = data[at]
    if value < 0x80:  # nearly all of them
        return value, at + 1
    value = 0
    for index in range(at, at + 8):
        value = value << 7 | data[index] & 0x7F
        if data[index] < 0x80:
            return value, index + 1
    return _signed(value << 8 | data[at + 8]), at + 9


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def read_record(record: bytes) -> list[Value]:
    """Return the record's columns. Raises ValueError or IndexError where it is none."""
    head_end, at = _varint(record, 0)
    values: list[Value] = []
    end = head_end
    while at < head_end:
        kind, at = _varint(record, at)
        start, end = end, end + (INTEGER_BYTES[kind] if kind in INTEGER_BYTES else _value_bytes(kind))
        values.append(_value(record[start:end], kind))
    if end != len(record):
        raise ValueError("a record that is longer or shorter than its columns")
    return values


def _value_bytes(kind: int) -> int:
    if kind in NOT_USED:
        raise ValueError("a value of a type that does not occur in files")
    return 8 if kind == REAL else (kind - 12) // 2


def _value(data: bytes, kind: int) -> Value:
    if kind in CONSTANTS:
        return CONSTANTS[kind]
    if kind in INTEGER_BYTES:
        return int.from_bytes(data, signed=True)
    if kind == REAL:
        value: float = struct.unpack(">d", data.ljust(8))[0]
        return value
    # What one bad byte has made unreadable is still worth a mail: the rest of the text may be all that matters.
    return data if kind % 2 == 0 else data.decode(errors="replace")
