"""Sizes in words."""

import pytest

from app.domain.size import size_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (50 << 20, "50.0 MiB"),
        (3 << 30, "3.0 GiB"),
    ],
    ids=str,
)
def test_a_size_stands_in_its_largest_unit(size_bytes: int, text: str) -> None:
    """In the units that the settings take."""
    assert size_text(size_bytes) == text
