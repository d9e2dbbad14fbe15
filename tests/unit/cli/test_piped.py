"""What is piped into a command is read in bounded memory, and its end is kept."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.piped import read_bounded


@given(st.binary(max_size=2000), st.integers(200, 400))
def test_the_text_stays_within_its_limit(data: bytes, limit: int) -> None:
    """Whatever the bytes, the text has at most `limit` bytes of UTF-8."""
    assert len(read_bounded(io.BytesIO(data), limit).encode()) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=50))
def test_a_short_text_is_kept_as_it_is(text: str) -> None:
    """What fits is not touched."""
    assert read_bounded(io.BytesIO(text.encode()), 200) == text


@pytest.mark.parametrize("size", [1_001, 1_999, 5_000, 100_000])
def test_start_and_end_of_a_long_text_are_kept(size: int) -> None:
    """The middle is cut, and a note tells how much there was."""
    data = b"start" + b"." * (size - 8) + b"end"
    text = read_bounded(io.BytesIO(data), 1_000)
    assert text.startswith("start.")
    assert text.endswith(".end")
    assert f"[… {size} bytes in all, the middle was cut …]" in text


def test_bytes_that_are_no_text_stay_readable() -> None:
    """Latin-1 in a log shows as escapes, control characters as a replacement."""
    assert read_bounded(io.BytesIO(b"caf\xe9\x00\r\n"), 200) == "caf\\xe9\ufffd\n"
