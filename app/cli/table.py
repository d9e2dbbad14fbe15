"""Tables for people: columns below each other, as wide as the terminal, in every script."""

import unicodedata
from collections.abc import Iterator, Sequence

GAP = "  "
NOTHING = "None."  # an empty table would look like a fault
MIN_LAST = 20  # columns that are shown of the last cell, however narrow the terminal
_WIDE = frozenset("WF")  # UAX #11: East Asian characters take two columns
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})  # what stands upon another character, and what is not seen


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> Iterator[str]:
    """Yield the headings, and a line for each row; the last cell gets the room that is left of `width` columns."""
    if not rows:
        yield NOTHING
        return
    lines = [headings, *rows]
    columns = [max(map(columns_of, cells)) for cells in zip(*lines, strict=True)][:-1]
    room = max(MIN_LAST, width - sum(columns) - len(GAP) * len(columns))
    for *cells, last in lines:
        padded = [cell + " " * (column - columns_of(cell)) for cell, column in zip(cells, columns, strict=True)]
        yield GAP.join([*padded, fitted(last, room)])


def columns_of(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fitted(text: str, columns: int) -> str:
    """Return `text` in at most `columns`, an ellipsis for what was cut at its end."""
    if columns_of(text) <= columns:
        return text
    taken = 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken > columns - 1:  # the ellipsis takes one
            return text[:index].rstrip() + "…"
    return text


def _columns(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
