"""What a stranger wrote gives no orders to a terminal."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.printable import json_text, printable, printable_line, source_text

ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b2Jgone", "\ufffd2Jgone"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("over\rwritten", "over\ufffdwritten"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("שלום 左雪 é", "שלום 左雪 é"),
    ],
    ids=["escape", "8-bit", "title", "lines", "return", "override", "scripts"],
)
def test_orders_are_made_visible(text: str, shown: str) -> None:
    """And what people write stays as it is, in every script."""
    assert printable(text) == shown


@given(ANY_TEXT)
def test_no_order_is_left_in_any_text(text: str) -> None:
    """Whatever the text is, and it can be encoded too."""
    assert not ORDERS.search(printable(text))
    printable(text).encode()


@given(ANY_TEXT)
def test_a_line_stays_a_line(text: str) -> None:
    """And one cell of a table or a list."""
    line = printable_line(text)
    assert not ORDERS.search(line)
    assert not set(line) & set("\t\n")
    assert len(line.splitlines()) <= 1


@given(st.binary())
def test_the_source_holds_no_order(data: bytes) -> None:
    """Whatever its octets are."""
    assert not ORDERS.search(source_text(data))


def test_the_source_tells_which_octets_they_are() -> None:
    """Text stays text; the rest is written as Python writes it."""
    assert source_text("Subject: é\x1b[2J\r\n".encode() + b"\xff\n") == "Subject: é\\x1b[2J\n\\xff\n"


@given(ANY_TEXT)
def test_json_is_safe_and_means_the_same(text: str) -> None:
    """Programs get every character, a terminal none that is an order."""
    written = json_text({text: [text]})
    assert not ORDERS.search(written)
    written.encode()
    assert json.loads(written) == {text: [text]}
