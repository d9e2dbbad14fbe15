"""Text of format=flowed (RFC 3676)."""

import pytest

from app.mail.reading.flowed import unflow


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("the disk \nis full\nnow\n", "the disk is full\nnow\n"),
        ("> a \n> b\nc", "> a b\nc"),
        (">> a \n> b", ">> a \n> b"),
        (" >not quoted\n From\n", ">not quoted\nFrom\n"),
        ("a \n-- \nname", "a \n-- \nname"),
        ("a \n\nb", "a \nb"),
        ("", ""),
    ],
    ids=["paragraph", "quote", "quotes of two depths", "space-stuffing", "signature", "empty line ends it", "empty"],
)
def test_paragraphs(raw: str, text: str) -> None:
    """Lines that were wrapped are whole again."""
    assert unflow(raw, delete_space=False) == text


def test_delsp() -> None:
    """Languages without spaces get none where the line was wrapped."""
    assert unflow("磁盘 \r\n已满\r\n", delete_space=True) == "磁盘已满\n"
