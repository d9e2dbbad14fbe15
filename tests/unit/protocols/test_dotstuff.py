"""The content arrives as it was written, and no dot or bare line end in it can end the mail early."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocols.smtp.dotstuff import encode_content


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        pytest.param(b"a\r\n", b"a\r\n.\r\n", id="plain"),
        pytest.param(b"", b".\r\n", id="empty"),
        pytest.param(b"a", b"a\r\n.\r\n", id="no-line-end"),
        pytest.param(b".a\r\n.\r\n..b\r\n", b"..a\r\n..\r\n...b\r\n.\r\n", id="dots"),
        pytest.param(b"a\n.\nb\r.\r", b"a\r\n..\r\nb\r\n..\r\n.\r\n", id="bare-line-ends"),
        pytest.param(b"a\r\r\nb\n\r", b"a\r\n\r\nb\r\n\r\n.\r\n", id="odd-pairs"),
    ],
)
def test_encode_content(data: bytes, wire: bytes) -> None:
    """Lines end in CRLF, leading dots are doubled, the final dot follows."""
    assert encode_content(data) == wire


@given(st.text(alphabet="ab.\r\n").map(str.encode))
def test_content_comes_back(data: bytes) -> None:
    """The receiver reads the same lines, and sees exactly one end (RFC 5321 section 4.5.2)."""
    wire = encode_content(data)
    assert wire.endswith(b".\r\n")
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", wire) is None
    lines = wire.removesuffix(b".\r\n").split(b"\r\n")[:-1]
    assert b"." not in lines
    received = b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)
    expected = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    assert received == (expected if not expected or expected.endswith(b"\r\n") else expected + b"\r\n")
