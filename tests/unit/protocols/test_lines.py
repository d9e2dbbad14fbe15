"""Lines are cut out of bytes whatever the pieces, and never grow without bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProtocolError
from app.protocols.lines import LineBuffer


def _lines(pieces: list[bytes], *, max_line: int = 100) -> list[bytes]:
    buffer = LineBuffer(max_line=max_line)
    lines = []
    for piece in pieces:
        buffer.feed(piece)
        while (line := buffer.next_line()) is not None:
            lines.append(line)
    return lines


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=8), st.integers(1, 9))
def test_lines_survive_any_cut(lines: list[bytes], size: int) -> None:
    """The same lines come out, whatever the size of the pieces that they came in."""
    data = b"".join(line + b"\r\n" for line in lines)
    assert _lines([data[at : at + size] for at in range(0, len(data), size)]) == lines


def test_bare_line_feed_ends_a_line() -> None:
    """A server that forgets the CR is understood."""
    assert _lines([b"one\ntwo\r\n\r\n"]) == [b"one", b"two", b""]


@pytest.mark.parametrize("data", [b"x" * 11, b"x" * 9 + b"\r\n"], ids=["endless", "ended"])
def test_long_line_is_refused(data: bytes) -> None:
    """A line over the cap is an error, whether its end has come or not."""
    with pytest.raises(ProtocolError):
        _lines([data], max_line=10)


def test_unfinished_line_counts_as_waiting() -> None:
    """What was fed and not read is seen."""
    buffer = LineBuffer(max_line=10)
    assert not buffer
    buffer.feed(b"a\r\nb")
    assert buffer.next_line() == b"a"
    assert buffer
