"""multipart/form-data taken apart: whole where it is whole, refused where it is broken, cheap in any case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.disposition import Disposition
from app.intake.parts import BrokenMultipart, Part, split_parts
from app.intake.urlencoded import MAX_PAIRS
from tests.support.multipart_body import BOUNDARY, CONTENT_TYPE, body_of, part


def test_parts_come_in_order_with_all_their_data() -> None:
    """Line ends and near-boundaries in a file belong to the file."""
    data = b"\r\n--\r\n--" + BOUNDARY[:-1] + b"\r\n\r\n\n"
    body = body_of([part("name=a", b""), part('name=f; filename="x"', data, "Content-Type: image/png")])

    assert split_parts(body, CONTENT_TYPE) == [
        Part(Disposition("a", None), "", b""),
        Part(Disposition("f", "x"), "image/png", data),
    ]


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n", b"--", b"\r\n--"]), max_size=5))
def test_any_data_survives(contents: list[bytes]) -> None:
    """A file may hold every byte there is."""
    body = body_of(part("name=f; filename=x", data) for data in contents)
    assert [read.data for read in split_parts(body, CONTENT_TYPE)] == contents


@pytest.mark.parametrize(
    "content_type",
    ['multipart/form-data; boundary="b"', "multipart/form-data; charset=utf-8; BOUNDARY=b"],
    ids=["quoted", "upper case"],
)
def test_boundary_is_found(content_type: str) -> None:
    """RFC 2045 section 5.1: names of parameters know no case, and values may be quoted."""
    (read,) = split_parts(b"\r\n--b\r\ncontent-DISPOSITION: form-data; name=a\r\n\r\nx\r\n--b--", content_type)
    assert (read.disposition.name, read.data) == ("a", b"x")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'b' * 71}"],
    ids=["missing", "empty", "long"],
)
def test_boundary_is_needed(content_type: str) -> None:
    """Without a boundary of 1 to 70 characters (RFC 2046 section 5.1.1) there are no parts."""
    with pytest.raises(BrokenMultipart, match="boundary of 1 to 70"):
        split_parts(b"--\r\n\r\n----\r\n", content_type)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"subject=x", id="form"),
        pytest.param(b"--b", id="cut-in-the-boundary"),
        pytest.param(b"--b\r\nContent-Dis", id="cut-in-a-header"),
        pytest.param(b"--b\r\n\r\ndata", id="cut-in-the-data"),
        pytest.param(b"--b\r\n\r\ndata\r\n--b", id="cut-in-the-last-boundary"),
        pytest.param(b"--b\r\n\r\ndata\r\n--b\r\n", id="no-last-boundary"),
        pytest.param(b"--b\r\nno header\r\n\r\ndata\r\n--b--", id="header-without-colon"),
        pytest.param(b"--b\r\nA: " + b"x" * 5_000 + b"\r\n\r\n\r\n--b--", id="long-header"),
        pytest.param(b"--b\r\n" + b"A: x\r\n" * 9 + b"\r\n\r\n--b--", id="many-headers"),
        pytest.param(b"--b\r\n\r\n" + b"\r\n--b\r\n\r\n" * (MAX_PAIRS + 1) + b"\r\n--b--", id="many-parts"),
        pytest.param(b"--b\r\n\r\n" + b"\r\n--bx" * 200_000 + b"\r\n--b--", id="many-near-boundaries"),
        pytest.param(b"--b\r\n\r\n\r\n--b" + b" \t" * 500_000 + b"\r\n--b--", id="white-space-without-end"),
    ],
)
def test_broken_body_is_refused(body: bytes) -> None:
    """What was cut off on its way, or made to cost time, gives no part at all."""
    with pytest.raises(BrokenMultipart, match=r"\.$"):
        split_parts(body, "multipart/form-data; boundary=b")


PIECES = st.sampled_from([b"--b", b"\r\n", b"--", b"Content-Disposition: form-data; name=a", b": ", b"b", b" ", b"\r"])


@given(st.lists(PIECES | st.binary(max_size=3), max_size=20).map(b"".join))
def test_any_body_is_split_or_refused(body: bytes) -> None:
    """No input raises anything else."""
    try:
        parts = split_parts(body, "multipart/form-data; boundary=b")
    except BrokenMultipart:
        return
    assert sum(len(read.data) for read in parts) <= len(body)
