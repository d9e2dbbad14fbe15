"""Base64 is read as it is written: either alphabet, broken into lines or not, padded or not."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.base64_text import PIECE, decode_base64

Encoder = Callable[[bytes], bytes]
ENCODERS: dict[str, Encoder] = {
    "standard": base64.b64encode,
    "url-safe": base64.urlsafe_b64encode,
    "lines": base64.encodebytes,
    "windows lines": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "unpadded": lambda data: base64.b64encode(data).rstrip(b"="),
    "indented": lambda data: b"\n\t " + base64.b64encode(data) + b" \n",
}


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
@given(data=st.binary(max_size=300))
def test_every_way_to_write_it_is_read(encoder: Encoder, data: bytes) -> None:
    """What any encoder wrote comes back byte by byte."""
    assert decode_base64(encoder(data).decode()) == data


@pytest.mark.parametrize("line", [1, 2, 3, 76, PIECE - 1])
def test_lines_may_end_anywhere_in_a_piece(line: int) -> None:
    """Groups of four that a line end, or the end of a piece, cuts in two are put together again."""
    data = bytes(range(256)) * (2 * PIECE // 256)
    text = base64.b64encode(data).decode()
    lines = [text[start : start + line] for start in range(0, len(text), line)]

    assert decode_base64("\r\n".join(lines)) == data


@pytest.mark.parametrize(
    "text",
    ["QQ==QQ==", "Q", "QUJDR", "QU!D", "QUJ\u00e4", "\ud800", "QUJD,", "data:text/plain;base64,QUJD", "QU\0D"],
    ids=["padding inside", "one digit", "five digits", "mark", "umlaut", "surrogate", "comma", "data URL", "NUL"],
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    """A damaged file is never taken for a whole one."""
    with pytest.raises(ValueError, match=r"."):
        decode_base64(text)


def test_damage_behind_the_first_piece_is_found() -> None:
    """All of it is looked at."""
    with pytest.raises(ValueError, match=r"."):
        decode_base64("A" * (3 * PIECE) + "!")
