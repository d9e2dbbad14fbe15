"""Compressed bodies: read where they can be, and never lost where they cannot."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.encoding import BROKEN, CUT_OFF, MAX_MEMBERS, SURPLUS, decoded
from app.intake.incoming import IncomingBody, Rejected

TEXT = b"raid degraded on db1\n" * 20
LIMIT = 1 << 20


def read(body: bytes, coding: bytes = b"gzip", limit: int = LIMIT) -> tuple[bytes, bytes, tuple[str, ...]]:
    """Return body, content type and warnings of a compressed request."""
    fields = {b"content-encoding": coding, b"content-type": b"text/plain"}
    incoming, warnings = decoded(IncomingBody(body, fields), limit)
    return incoming.body, incoming.fields[b"content-type"], warnings


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT), b"gzip"),
        (gzip.compress(TEXT), b" X-GZip "),
        (zlib.compress(TEXT), b"deflate"),
        (zlib.compress(TEXT)[2:-4], b"deflate"),
        (zlib.compress(TEXT), b"gzip"),
        (gzip.compress(TEXT), b"deflate"),
        (gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]), b"gzip"),
        (gzip.compress(TEXT) + gzip.compress(b""), b"gzip"),
        (gzip.compress(TEXT) + bytes(1000), b"gzip"),
        (TEXT, b"identity"),
        (TEXT, b""),
    ],
    ids=["gzip", "X-GZip", "zlib", "deflate", "not gzip", "not deflate", "members", "empty", "padded", "identity", "-"],
)
def test_what_is_compressed_is_read(body: bytes, coding: bytes) -> None:
    """As whoever sends it means it."""
    assert read(body, coding) == (TEXT, b"text/plain", ())


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_what_is_not_compressed_is_taken_as_it_came(coding: bytes) -> None:
    """A field that a program sets by mistake costs a warning."""
    body, content_type, (warning,) = read(b"disk full", coding)
    assert (body, content_type) == (b"disk full", b"text/plain")
    assert "not compressed" in warning


@pytest.mark.parametrize(
    ("body", "coding", "content_type"),
    [
        (b"\x1f\x8b\xff\0", b"gzip", b"application/gzip"),
        (b"\0\xfe\0\xff", b"deflate", b"application/octet-stream"),
        (b"\x0b\x02\x80hello", b"br", b"application/octet-stream"),
    ],
    ids=["gzip", "deflate", "brotli"],
)
def test_what_cannot_be_inflated_is_a_file(body: bytes, coding: bytes, content_type: bytes) -> None:
    """Whoever gets the mail may be able to read it."""
    assert read(body, coding) == (body, content_type, () if coding == b"br" else (BROKEN,))


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    """The beginning of a log is better than nothing."""
    noise = b"".join(b"%d " % (number * number) for number in range(10_000))
    body, _, warnings = read(gzip.compress(noise)[:5_000])
    assert noise.startswith(body)
    assert (len(body) > 5_000, warnings) == (True, (CUT_OFF,))


def test_what_is_broken_in_the_middle_is_read_up_to_there() -> None:
    """A flaw costs what comes after it, and little before."""
    noise = b"".join(b"%d " % (number * number) for number in range(10_000))
    compressed = gzip.compress(noise)
    body, _, warnings = read(compressed[:-8] + bytes(8))
    assert noise.startswith(body)
    assert (len(body) > 0.99 * len(noise), warnings) == (True, (CUT_OFF,))


def test_what_comes_after_the_end_is_told() -> None:
    """It is no alert of anybody."""
    assert read(gzip.compress(TEXT) + b"garbage") == (TEXT, b"text/plain", (SURPLUS,))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(bytes(LIMIT + 1)), 413),
        (gzip.compress(bytes(LIMIT)) + gzip.compress(b"x"), 413),
        (gzip.compress(b"") * (MAX_MEMBERS + 1), 400),
    ],
    ids=["one", "two", "many"],
)
def test_a_bomb_is_refused(body: bytes, status: int) -> None:
    """A kilobyte that swells to a gigabyte stops at the limit of a body."""
    with pytest.raises(Rejected) as caught:
        read(body)
    assert caught.value.problem.status == status


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_members_of_any_length_are_all_read(parts: list[bytes]) -> None:
    """Wherever one ends, the next begins."""
    assert read(b"".join(map(gzip.compress, parts)))[0] == b"".join(parts)


@given(st.binary(max_size=300), st.sampled_from([b"gzip", b"deflate", b"br"]))
def test_anything_at_all_is_taken(body: bytes, coding: bytes) -> None:
    """No body is refused for what it is."""
    taken, _, warnings = read(body, coding)
    assert taken == body or warnings or zlib.decompressobj(-15).decompress(body) == taken
