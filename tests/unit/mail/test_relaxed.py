"""The relaxed canonical form, by the examples and rules of RFC 6376 section 3.4."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.relaxed import relaxed_body_hash, relaxed_fields

BODIES = {
    "none": (b"", b""),
    "empty lines only": (b"\r\n\r\n", b""),
    "white space only": (b" \t\r\n \r\n", b""),
    "runs of white space": (b"a \t b\r\n", b"a b\r\n"),
    "white space at the ends": (b"  a\t\r\n", b" a\r\n"),
    "empty lines at the end": (b"a\r\n\r\n \r\n", b"a\r\n"),
    "empty lines within": (b"a\r\n\r\n\t\r\nb\r\n", b"a\r\n\r\n\r\nb\r\n"),
}


def plainly_relaxed(body: bytes) -> bytes:
    """The rules of RFC 6376 section 3.4.4, one after the other."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


@pytest.mark.parametrize(("body", "canonical"), BODIES.values(), ids=BODIES.keys())
def test_a_body_is_reduced_by_the_rules(body: bytes, canonical: bytes) -> None:
    """White space is one space or none, and empty lines at the end do not count."""
    assert relaxed_body_hash(b"head\r\n\r\n" + body, 8) == sha256(canonical).digest()


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"  ", b"\r\n"])).map(lambda some: b"".join([*some, b"\r\n"])))
def test_any_body_is_what_the_rules_make_of_it(body: bytes) -> None:
    """The quick way and the plain one agree."""
    assert relaxed_body_hash(body, 0) == sha256(plainly_relaxed(body)).digest()


@pytest.mark.parametrize("filler", [b"x" * 76, b"a  b\t", b""], ids=["base64", "white space", "empty lines"])
@pytest.mark.parametrize("shift", range(3))
def test_a_body_of_several_blocks_is_hashed_as_one(filler: bytes, shift: int) -> None:
    """Where a block ends, in a line, in a CRLF or among empty lines, makes no difference."""
    line = filler + b"\r\n"
    body = b"." * shift + b"a\r\n" + line * (600_000 // len(line)) + b"b \r\n" + b"\r\n" * 300_000
    assert relaxed_body_hash(body, 0) == sha256(plainly_relaxed(body)).digest()


def test_header_fields_are_unfolded_and_reduced() -> None:
    """The two fields of the example in RFC 6376 section 3.4.5, and one whose name has space after it."""
    head = b"A: X\r\nB : Y\t\r\n\tZ  \r\nSubject:  a \t b\r\n c"
    assert relaxed_fields(head) == [(b"a", b"a:X"), (b"b", b"b:Y Z"), (b"subject", b"subject:a b c")]
