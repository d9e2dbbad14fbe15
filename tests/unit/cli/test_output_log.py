"""The log of a command: bounded, and its end is what is kept at all costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.output_log import OutputLog


def log_of(*chunks: bytes, limit: int = 1 << 20) -> OutputLog:
    log = OutputLog(limit)
    for chunk in chunks:
        log.add(chunk)
    return log


def lines(text: bytes, count: int = 200) -> str:
    return log_of(text).last_lines(count, limit_bytes=1 << 20)


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_what_fits_is_kept_whole(chunks: list[bytes]) -> None:
    """Byte for byte, however it came."""
    assert log_of(*chunks, limit=2000).whole() == b"".join(chunks)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=40))
def test_memory_is_bounded_and_the_ends_are_right(chunks: list[bytes]) -> None:
    """The beginning and the end stand there as they were, and the size is that of all."""
    limit, written = 100, b"".join(chunks)
    log = log_of(*chunks, limit=limit)
    whole = log.whole()
    assert log.size_bytes == len(written)
    assert len(whole) <= limit + 60
    assert written.startswith(whole[:25])
    assert written.endswith(whole[-75:])


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"", ""),
        (b"a\nb\nc\n", "b\nc"),
        (b"a\nb\nc", "b\nc"),
        (b"a\n\n\n", "\n"),
        (b"x\n 1 %\r 50 %\r100 %\nend\n", "100 %\nend"),
        (b"dos\r\nlines\r\n", "dos\nlines"),
        (b"\x1b[31mred\x1b[0m\n\x1b[2Kx\n", "red\nx"),
        (b"\xff\n\x00\n", "\\xff\n\ufffd"),
    ],
    ids=["nothing", "ended", "not ended", "empty lines", "progress bar", "CRLF", "colours", "binary"],
)
def test_the_last_lines_are_as_a_terminal_shows_them(written: bytes, shown: str) -> None:
    """People read them in a mail."""
    assert lines(written, 2) == shown


def test_no_lines_can_be_asked_for() -> None:
    """--tail 0 shows nothing."""
    assert lines(b"a\nb\n", 0) == ""


def test_long_lines_are_cut() -> None:
    """A line of megabytes does not make the alert too large."""
    assert len(log_of(b"x" * 900_000).last_lines(5, limit_bytes=1000)) <= 1000
