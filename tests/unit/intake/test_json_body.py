"""JSON from the wire: small damage is repaired and told, breakage is refused with its place."""

import pytest

from app.domain.charset import MARK_DROPPED, UNDECODABLE, UNKNOWN_CHARSET
from app.intake.json_body import MAX_DEPTH, REPAIRED, BrokenJson, read_json


def test_sound_json_needs_no_warning() -> None:
    """The usual body passes as it is."""
    assert read_json(b'{"a": [1, "\\ud83d\\ude00"]}') == ({"a": [1, "😀"]}, ())


@pytest.mark.parametrize(
    ("body", "charset", "value", "warnings"),
    [
        pytest.param(b'\xef\xbb\xbf["a"]', "", ["a"], (MARK_DROPPED,), id="utf8-mark"),
        pytest.param('\ufeff["é"]'.encode("utf-16-le"), "", ["é"], (MARK_DROPPED,), id="utf16-mark"),
        pytest.param(b'["a\xffb"]', "", ["a\ufffdb"], (UNDECODABLE,), id="bad-byte"),
        pytest.param(b'["\xed\xa0\x80"]', "", ["\ufffd" * 3], (UNDECODABLE,), id="surrogate-in-bytes"),
        pytest.param(b'["\\ud800"]', "", ["\ufffd"], (REPAIRED,), id="lone-high-surrogate"),
        pytest.param(b'["\\uDC00x"]', "", ["\ufffdx"], (REPAIRED,), id="lone-low-surrogate"),
        pytest.param(b'["\\ud800\\u0041"]', "", ["\ufffdA"], (REPAIRED,), id="high-surrogate-and-letter"),
        pytest.param(b'["\\\\ud800\\ud800"]', "", ["\\ud800\ufffd"], (REPAIRED,), id="escaped-backslash"),
        pytest.param(b'["\\ud83d\\ude00\\ud800"]', "", ["😀\ufffd"], (REPAIRED,), id="pair-and-lone"),
        pytest.param(b'["a\nb\x00"]', "", ["a\nb\x00"], (REPAIRED,), id="raw-controls"),
        pytest.param(b'["\xe9"]', "latin-1", ["é"], (), id="latin-1"),
        pytest.param(b'["\xc3\xa9"]', "x-nothing", ["é"], (UNKNOWN_CHARSET,), id="unknown-charset"),
        pytest.param(
            b'\xef\xbb\xbf["\xff\\ud800"]', "", ["\ufffd\ufffd"], (MARK_DROPPED, UNDECODABLE, REPAIRED), id="all"
        ),
    ],
)
def test_damage_is_repaired(body: bytes, charset: str, value: object, warnings: tuple[str, ...]) -> None:
    """Never an alert lost for a character."""
    assert read_json(body, charset) == (value, warnings)


def test_endless_integer_stays_as_its_digits() -> None:
    """Python would refuse to convert it; the text tells as much."""
    assert read_json(b"[" + b"9" * 5_000 + b"]") == (["9" * 5_000], (REPAIRED,))


def test_last_of_equal_names_counts() -> None:
    """RFC 8259 leaves it open; this is what nearly every reader does."""
    assert read_json(b'{"a": 1, "a": 2}') == ({"a": 2}, ())


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"", "line 1, column 1", id="empty"),
        pytest.param(b'{"a": 1,\n "b" 2}', "line 2, column 6", id="no-colon"),
        pytest.param(b'{"a": 1} x', "line 1, column 10", id="more-after-it"),
        pytest.param(b'["a\\q"]', "line 1, column 4", id="no-such-escape"),
        pytest.param(b'["a', "line 1, column 2", id="no-end"),
        pytest.param(b"[1\xff]", "line 1, column 3", id="bad-byte-outside-a-string"),
    ],
)
def test_broken_json_is_located(body: bytes, place: str) -> None:
    """The sender learns line and column."""
    with pytest.raises(BrokenJson, match=place):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="arrays"),
        pytest.param(b'{"a":' * 100_000, id="objects"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="closed"),
        pytest.param(b"[" * 500 + b"]" * 500, id="shallow-enough-for-python"),
        pytest.param(b"\xef\xbb\xbf" + b"[" * 500 + b"]" * 500, id="damaged-too"),
    ],
)
def test_deep_nesting_is_refused(body: bytes) -> None:
    """A hostile body cannot exhaust the stack, here or in what renders it."""
    with pytest.raises(BrokenJson, match=f"deeper than {MAX_DEPTH}"):
        read_json(body)


def test_nesting_is_counted_alike_on_both_ways() -> None:
    """Damage elsewhere does not change what depth is taken."""
    body = b"[" * 199 + b'"\\ud800"' + b"]" * 199

    assert read_json(body)[1] == (REPAIRED,)
    assert read_json(body.replace(b"\\ud800", b""))[1] == ()
