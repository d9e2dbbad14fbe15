"""Tables have their columns below each other in every script."""

from app.cli.table import columns_of, fitted, table


def test_wide_characters_take_two_columns() -> None:
    """As terminals show them, and what stands upon another character takes none."""
    assert [columns_of(text) for text in ("ab", "左雪", "e\u0301", "a\u200bb")] == [2, 4, 1, 2]


def test_columns_stand_below_each_other_in_every_script() -> None:
    """A row in Chinese moves nothing."""
    _, first, second = table(("A", "B"), [("左雪", "x"), ("abcd", "x")], width=80)
    assert (columns_of(first), columns_of(second)) == (7, 7)
    assert first.endswith("雪  x")


def test_text_is_cut_between_characters() -> None:
    """A wide one that fits by half is left out."""
    assert [fitted("左雪左雪", columns) for columns in (8, 7, 6, 1)] == ["左雪左雪", "左雪左…", "左雪…", "…"]


def test_nothing_is_said_to_be_nothing() -> None:
    """An empty table would look like a fault."""
    assert list(table(("A",), [], width=80)) == ["None."]
